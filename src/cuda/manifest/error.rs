//! What can be wrong with a manifest: which file, which key, which expression, and what to do.

use crate::cuda::Arch;

/// Why a manifest cannot be used, or cannot be used for what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file cannot be read.
    #[error("cannot read {path}{}: {source}", of(named_by))]
    Unreadable {
        /// The file, relative to the repository's root.
        path: String,
        /// The manifest and the key that name it; empty for the manifest itself.
        named_by: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is larger than anybody writes by hand.
    #[error("{path} has {bytes} bytes; at most {most} are read")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A file is not text.
    #[error("{path} is not UTF-8: byte {at} fits no character; save it as UTF-8")]
    NotText {
        /// The file.
        path: String,
        /// Where the first bad byte stands.
        at: usize,
    },
    /// The manifest is not TOML, or has a key that manifests do not have.
    #[error("{path}:{line}:{column}: {message}")]
    Syntax {
        /// The manifest.
        path: String,
        /// 1-based line.
        line: usize,
        /// 1-based column, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The value of a key makes no sense.
    #[error("{path}: {key}: {message}{}", after(hint))]
    Key {
        /// The manifest.
        path: String,
        /// The key, such as `launch.grid`.
        key: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// An expression cannot be read or evaluated.
    #[error("{path}: {key}: `{expression}`: {message}{}", after(hint))]
    Expression {
        /// The manifest.
        path: String,
        /// The key.
        key: String,
        /// As it is written.
        expression: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// An expression asks for what only a device can tell.
    #[error("{path}: {key}: `{expression}` needs `{name}`, which only a GPU can tell")]
    NeedsDevice {
        /// The manifest.
        path: String,
        /// The key.
        key: String,
        /// As it is written.
        expression: String,
        /// The name.
        name: String,
    },
    /// The kernel does not run on this architecture.
    #[error("{path} is for {minimum} and later, not for {arch}")]
    TooOld {
        /// The manifest.
        path: String,
        /// What was asked for.
        arch: Arch,
        /// The oldest that it runs on.
        minimum: Arch,
    },
}

fn of(named_by: &str) -> String {
    if named_by.is_empty() { String::new() } else { format!(" ({named_by})") }
}

fn after(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default()
}

/// Something wrong with a key, before it is known which manifest that is.
#[derive(Debug)]
pub(super) enum Problem {
    Key { key: String, message: String, hint: Option<String> },
    Expression { key: String, expression: String, message: String, hint: Option<String> },
    NeedsDevice { key: String, expression: String, name: String },
}

impl Problem {
    pub(super) fn key(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Key { key: key.into(), message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Key { hint, .. } | Self::Expression { hint, .. } => *hint = Some(text.into()),
            Self::NeedsDevice { .. } => {}
        }
        self
    }

    pub(super) fn of(self, path: &str) -> ManifestError {
        let path = path.to_owned();
        match self {
            Self::Key { key, message, hint } => ManifestError::Key { path, key, message, hint },
            Self::Expression { key, expression, message, hint } => {
                ManifestError::Expression { path, key, expression, message, hint }
            }
            Self::NeedsDevice { key, expression, name } => ManifestError::NeedsDevice { path, key, expression, name },
        }
    }
}
