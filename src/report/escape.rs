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

/// A code span of markdown outside a table: nothing in it ends it, and nothing in it is an expression of a workflow.
pub fn markdown_code(text: &str) -> String {
    let safe = terminal(text).replace("${{", "$\u{2060}{\u{2060}{");
    let longest = safe.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if safe.starts_with('`') || safe.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{safe}{space}{fence}")
}

/// JSON inside a `<script>` element of HTML: nothing in it ends the element or begins a comment.
pub fn script_json(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// For the text of an HTML or SVG element, or an attribute in quotes.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for character in terminal(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
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
    fn a_code_span_ends_where_we_end_it() {
        assert_eq!(markdown_code("git log"), "`git log`");
        assert_eq!(markdown_code("a `b` ``c"), "```a `b` ``c```");
        assert_eq!(markdown_code("`"), "`` ` ``");
        assert!(!markdown_code("${{ secrets.TOKEN }}").contains("${{"));
    }

    #[test]
    fn a_script_element_ends_where_we_end_it() {
        let json = serde_json::Value::from("</script><!--\u{2028}&").to_string();
        let safe = script_json(&json);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}']), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!--\u{2028}&");
        assert_eq!(html("<a href='x' title=\"&\">"), "&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn github_commands_end_where_we_end_them() {
        assert_eq!(github_value("a\n::error::b"), "a%0A::error::b");
        assert_eq!(github_property("x,y:z"), "x%2Cy%3Az");
    }
}
