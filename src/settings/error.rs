//! What can be wrong with settings: where, what, and what to write instead.

use std::ops::Range;
use std::path::PathBuf;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source} (`git ratchet init` writes a first one)", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than [`super::MAX_FILE_BYTES`].
    #[error("{origin} has {bytes} bytes; settings may have at most {}", super::MAX_FILE_BYTES)]
    TooLarge {
        /// The file, as the caller named it.
        origin: String,
        /// Its size.
        bytes: usize,
    },
    /// Something in the file is wrong.
    #[error("{origin}:{line}:{column}: {message}{}", hint_suffix(hint))]
    Invalid {
        /// The file, as the caller named it.
        origin: String,
        /// 1-based line.
        line: usize,
        /// 1-based column, in characters.
        column: usize,
        /// What is wrong.
        message: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A value of `git config ratchet.*` is wrong.
    #[error("git config {key}: {message}")]
    GitConfig {
        /// The full key, such as `ratchet.regression`.
        key: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// Nobody says what Slurm is asked for at a place of this name.
    #[error("there is no place `{name}`: {hint}")]
    UnknownPlace {
        /// The name.
        name: String,
        /// The one that is meant, or how a place is named.
        hint: String,
    },
}

fn hint_suffix(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default()
}

/// Something wrong at a place, before it is known which line that is.
#[derive(Debug)]
pub(super) struct Problem {
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Finds line and column in `text`.
    pub(super) fn locate(self, text: &str, origin: &str) -> SettingsError {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        SettingsError::Invalid {
            origin: origin.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: self.message,
            hint: self.hint,
        }
    }
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().trim().to_owned();
        if message == "invalid type: map, expected a sequence" {
            let problem = Self::at(error.span().unwrap_or(0..0), "one table stands where a list is expected");
            return problem.hint("a table that may be there several times has two brackets, as in [[benchmark]]");
        }
        let hint = hint_for(&message).or_else(|| hint_for_type(&message));
        let message =
            message.split(", expected").next().filter(|_| hint.is_some()).map_or_else(|| message.clone(), str::to_owned);
        Self { span: error.span().unwrap_or(0..0), message, hint }
    }
}

/// For a text where something else belongs: "invalid type: string \"3%\", expected f64".
fn hint_for_type(message: &str) -> Option<String> {
    let (found, expected) = message.strip_prefix("invalid type: string ")?.rsplit_once(", expected ")?;
    match expected {
        "f64" => Some("write a number, such as 3".to_owned()),
        "a sequence" => {
            let words: Vec<String> = found.trim_matches('"').split_whitespace().map(|word| format!("\"{word}\"")).collect();
            Some(format!("write a list: [{}]", words.join(", ")))
        }
        "a boolean" => Some("write true or false".to_owned()),
        _ => None,
    }
}

/// For an unknown key, the known one that looks most like it, or all of them. serde gives them in words only:
/// "unknown field `a`, expected one of `b`, `c`".
fn hint_for(message: &str) -> Option<String> {
    let (unknown, expected) = message.strip_prefix("unknown field ")?.split_once(", expected ")?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    Some(match closest(unknown.trim_matches('`'), &known) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("known here: {}", known.join(", ")),
    })
}

/// For an unknown place, the one that looks most like it, or all, or how to name one.
pub(super) fn hint_for_place(name: &str, known: &[&str]) -> String {
    match closest(name, known) {
        Some(close) => format!("did you mean `{close}`?"),
        None if known.is_empty() => "name it in ratchet.toml, [fleet.NAME] with slurm = [\"--partition=…\"], or with \
            git config ratchet.fleet.NAME.slurm '--partition=…'"
            .to_owned(),
        None => format!("known are {}", known.join(", ")),
    }
}

/// The candidate that is a few typing errors away from `word`, if there is one.
pub(super) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let close = |candidate: &&str| strsim::jaro_winkler(word, candidate);
    let best = candidates.iter().copied().max_by(|a, b| close(a).total_cmp(&close(b)))?;
    (close(&best) > 0.8).then_some(best)
}
