//! Making a stranger's text harmless where it is shown.

use std::borrow::Cow;

use crate::model::is_unshowable;

/// For a terminal or a log: control and hidden formatting characters become visible escapes, the rest stays.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unshowable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unshowable(character) { safe.extend(character.escape_default()) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

/// The same for a text of several lines, such as what a compiler says: the lines stay, tabs become spaces.
pub fn terminal_lines(text: &str) -> String {
    text.lines().map(|line| terminal(&line.replace('\t', "    ")).into_owned()).collect::<Vec<_>>().join("\n")
}

/// The same, cut to `most` characters with an ellipsis.
pub fn terminal_short(text: &str, most: usize) -> String {
    let safe = terminal(text);
    if safe.chars().count() <= most {
        return safe.into_owned();
    }
    let mut short: String = safe.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// For a cell of a markdown table on a hosting service: no markup, no HTML, no mention, no reference, no new column.
pub fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for character in terminal(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // An invisible joiner breaks mentions and references without changing what is read.
            '@' | '#' => {
                safe.push(character);
                safe.push('\u{2060}');
            }
            '|' | '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '!' | '{' | '}' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// For the value of a GitHub workflow command (`::error …::value`).
pub fn github_value(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a GitHub workflow command (`title=…`).
pub fn github_property(text: &str) -> String {
    github_value(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_never_sees_an_escape_sequence() {
        assert_eq!(terminal("a\u{1b}[31mred\u{202e}x"), "a\\u{1b}[31mred\\u{202e}x");
        assert_eq!(terminal("plain µ 🦀 |"), "plain µ 🦀 |");
    }

    #[test]
    fn markdown_cells_stay_one_cell_and_mention_nobody() {
        let safe = markdown("a|b <img src=x> @everyone #1 [x](y) `c`");
        assert!(!safe.contains("@e") && !safe.contains("#1") && !safe.contains('<') && !safe.contains(" [x]"));
        assert_eq!(safe.matches('|').count(), safe.matches("\\|").count());
    }

    #[test]
    fn github_commands_end_where_we_end_them() {
        assert_eq!(github_value("a\n::error::b"), "a%0A::error::b");
        assert_eq!(github_property("x,y:z"), "x%2Cy%3Az");
    }
}
