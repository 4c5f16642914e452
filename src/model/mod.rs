//! The words of the project as types: pure values, no I/O, no clock.
//!
//! A [`Run`] is one execution of benchmarks on one [`Testbed`]; it names the tree that was measured.
//! A [`Record`] is what the store keeps of one sample of one metric of one benchmark point, and names its run.
//! A [`Profile`] is what a profiler counted in a kernel of one run. An [`Excuse`] is a recorded permission to regress. What makes two records comparable is their [`SeriesKey`].
//!
//! Constructors check what outsiders give: a value of these types is always fit to be stored and shown
//! (escaping for a terminal or a page is the renderer's business).

mod benchmark;
mod decimal;
mod excuse;
mod identity;
mod metric;
mod profile;
mod record;
mod run;
mod sample;
mod unit;

pub use benchmark::{BenchmarkName, Config};
pub use decimal::{is_whole, rounded};
pub use excuse::{Excuse, ExcuseScope};
pub use identity::{LineId, ObjectId, ParseIdError};
pub use metric::{Direction, Metric, MetricName};
pub use profile::{Counter, KernelProfile, Profile, ReportFile};
pub use record::{Measurement, Record, SeriesKey};
pub use run::{Author, Run, Testbed};
pub use sample::{Sample, SampleWarning, Summary};
pub use unit::{ParseQuantityError, Quantity, Unit};

/// Longest name (benchmark, metric, parameter, testbed) in bytes. Names are shown in tables and stored in every record.
pub const MAX_NAME_BYTES: usize = 512;

/// Why a value given from outside cannot be a value of the model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidValue {
    /// A name is empty.
    #[error("a {what} must not be empty")]
    Empty {
        /// What kind of name it is.
        what: &'static str,
    },
    /// A name is longer than [`MAX_NAME_BYTES`].
    #[error("a {what} may have at most {MAX_NAME_BYTES} bytes, this one has {len}: {start}…")]
    TooLong {
        /// What kind of name it is.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// Its first characters.
        start: String,
    },
    /// A name holds a control character or an invisible formatting character.
    #[error("a {what} must not contain the character {character:?}: {shown:?}")]
    BadCharacter {
        /// What kind of name it is.
        what: &'static str,
        /// The offending character.
        character: char,
        /// The whole name.
        shown: String,
    },
    /// A parameter is given twice in one config.
    #[error("the config gives the parameter `{0}` twice")]
    DuplicateParameter(String),
    /// A parameter is not of the form KEY=VALUE.
    #[error("`{0}` is not of the form KEY=VALUE (a config looks like 'B=32 H=8')")]
    NotAParameter(String),
    /// A sample has no values.
    #[error("a sample needs at least one value")]
    NoValues,
    /// A measured value is NaN or infinite.
    #[error("{0} is not a finite number")]
    NotFinite(f64),
    /// A value that the unit does not allow, such as a negative time.
    #[error("{value} {unit} is not possible: {why}")]
    Impossible {
        /// The value in the base unit.
        value: f64,
        /// The base unit.
        unit: String,
        /// Why not.
        why: &'static str,
    },
}

/// Refuses names that cannot be shown on one line: control characters, bidirectional overrides, zero-width formatting.
fn check_name(what: &'static str, name: &str) -> Result<(), InvalidValue> {
    if name.trim().is_empty() {
        return Err(InvalidValue::Empty { what });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(InvalidValue::TooLong { what, len: name.len(), start: name.chars().take(40).collect() });
    }
    match name.chars().find(|&c| is_unshowable(c)) {
        Some(character) => Err(InvalidValue::BadCharacter { what, character, shown: name.chars().take(80).collect() }),
        None => Ok(()),
    }
}

/// Control characters and the formatting characters that can reorder or hide text (Unicode bidi controls, line and
/// paragraph separators, zero-width characters other than the joiners that emoji need).
pub fn is_unshowable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests;
