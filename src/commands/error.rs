//! How a command ends badly: classified where it ends, with what failed, why, and what to do next.

use std::fmt::Display;
use std::io;

use crate::exit::Exit;

/// A failure of a command, ready to be shown.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code it ends with.
    pub exit: Exit,
    /// What failed and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The reader of our output went away: that is success.
    pub broken_pipe: bool,
}

impl CommandError {
    /// The command line or the settings are wrong.
    pub fn usage(message: impl Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string(), hint: None, broken_pipe: false }
    }

    /// Something failed.
    pub fn failure(message: impl Display) -> Self {
        Self { exit: Exit::Failure, message: message.to_string(), hint: None, broken_pipe: false }
    }

    /// There is nothing to judge.
    pub fn no_verdict(message: impl Display) -> Self {
        Self { exit: Exit::NoVerdict, message: message.to_string(), hint: None, broken_pipe: false }
    }

    /// Adds what to do next.
    pub fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// Names what was being done when something failed.
pub trait During<T> {
    /// A failure whose message starts with `what`.
    fn during(self, what: impl Display) -> Result<T, CommandError>;
}

impl<T, E: Display> During<T> for Result<T, E> {
    fn during(self, what: impl Display) -> Result<T, CommandError> {
        self.map_err(|error| CommandError::failure(format!("{what}: {error}")))
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self { exit: Exit::Failure, message: format!("cannot write the output: {error}"), hint: None, broken_pipe }
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Self::failure(format!("cannot write JSON: {error}")),
        }
    }
}

impl From<crate::model::InvalidValue> for CommandError {
    fn from(error: crate::model::InvalidValue) -> Self {
        Self::usage(error)
    }
}

impl From<crate::model::ParseQuantityError> for CommandError {
    fn from(error: crate::model::ParseQuantityError) -> Self {
        Self::usage(error)
    }
}
