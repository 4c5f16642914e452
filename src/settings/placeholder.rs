//! `{PARAM}` in commands: `{{` and `}}` stand for braces themselves.

use crate::model::Config;

/// A text with places for parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Parameter(String),
}

/// A brace that is opened and not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclosed;

impl Pattern {
    /// Splits `text` at its placeholders. A `}` that closes nothing stands for itself.
    pub(super) fn parse(text: &str) -> Result<Self, Unclosed> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                literal.push_str(&rest[..1]);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('}') {
                literal.push('}');
                rest = after;
            } else {
                let end = rest.find('}').ok_or(Unclosed)?;
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Parameter(rest[1..end].to_owned()));
                rest = &rest[end + 1..];
            }
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        Ok(Self { parts })
    }

    /// The names between braces.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Parameter(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether what it becomes begins with a value.
    pub(super) fn begins_with_parameter(&self) -> bool {
        let is_empty = |part: &&Part| matches!(part, Part::Text(text) if text.is_empty());
        matches!(self.parts.iter().find(|part| !is_empty(part)), Some(Part::Parameter(_)))
    }

    /// The text with values in place of names. A parameter that `config` lacks stays as it is written.
    pub(super) fn fill(&self, config: &Config) -> String {
        self.fill_by(|name| config.get(name))
    }

    /// The same with values from anywhere.
    pub(super) fn fill_by<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Parameter(name) => match value(name) {
                    Some(value) => filled.push_str(value),
                    None => filled.push_str(&format!("{{{name}}}")),
                },
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let config = Config::new([("N", "1000"), ("dtype", "f32")]).unwrap();
        Pattern::parse(text).unwrap().fill(&config)
    }

    #[test]
    fn parameters_are_filled_in() {
        assert_eq!(filled("./sort {N} --type={dtype}"), "./sort 1000 --type=f32");
        assert_eq!(filled("{N}{N}"), "10001000");
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(filled("awk '{{print $1}}' ${{HOME}} {{N}}"), "awk '{print $1}' ${HOME} {N}");
        assert_eq!(filled("f() {{ echo; }"), "f() { echo; }");
    }

    #[test]
    fn values_are_not_read_again() {
        let config = Config::new([("a", "{b}"), ("b", "c")]).unwrap();
        assert_eq!(Pattern::parse("{a}").unwrap().fill(&config), "{b}");
    }

    #[test]
    fn an_open_brace_is_refused() {
        assert_eq!(Pattern::parse("awk {print"), Err(Unclosed));
    }
}
