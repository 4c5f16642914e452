//! What the profiler's own lines say about a failure. It often ends with zero although nothing was profiled, so its
//! lines count for more than its exit code.

use super::NcuError;
use crate::harness::{Ending, LastLines};

/// What a run of the profiler left behind.
pub(super) struct Aftermath<'a> {
    /// Everything that it and the program printed.
    pub stdout: &'a [u8],
    /// The same of standard error.
    pub stderr: &'a [u8],
    /// How it ended, where not well.
    pub ending: Option<Ending>,
    /// Whether its report is there.
    pub has_report: bool,
    /// The filter for kernels and how many were skipped.
    pub asked: (Option<&'a str>, u32),
}

/// Most error lines that are repeated.
const MOST_ERRORS: usize = 3;

/// Longest error line that is repeated, in characters.
const LONGEST_ERROR: usize = 300;

impl Aftermath<'_> {
    /// Why there is no profile; `None` where nothing went wrong.
    pub(super) fn diagnose(&self) -> Option<NcuError> {
        let lines = self.own_lines();
        let says = |words: &str| lines.iter().any(|line| line.contains(words));
        if says("ERR_NVGPUCTRPERM") {
            return Some(NcuError::NotPermitted);
        }
        if says("driver resource was unavailable") {
            return Some(NcuError::Busy);
        }
        if self.has_report && self.ending.is_none() {
            return None;
        }
        let unsupported = lines.iter().find(|line| line.contains("not supported") || line.contains("NotSupported"));
        if let Some(line) = unsupported {
            return Some(NcuError::NotSupported(message(line)));
        }
        if let Some(code) = lines.iter().find_map(|line| command_code(line)) {
            return Some(NcuError::CommandFailed { code, output: self.last_lines() });
        }
        if says("No kernels were profiled") && self.ending.is_none() {
            return Some(NcuError::NoKernel { filter: self.asked.0.map(str::to_owned), skip: self.asked.1 });
        }
        let errors = lines.iter().filter(|line| line.starts_with("==ERROR==")).map(|line| message(line));
        Some(NcuError::Failed { ending: self.ending, errors: errors.take(MOST_ERRORS).collect(), output: self.last_lines() })
    }

    /// The lines that the profiler marks as its own.
    fn own_lines(&self) -> Vec<String> {
        let both = [self.stdout, self.stderr].map(String::from_utf8_lossy);
        both.iter()
            .flat_map(|text| text.lines())
            .map(str::trim)
            .filter(|line| line.starts_with("=="))
            .map(str::to_owned)
            .collect()
    }

    fn last_lines(&self) -> Box<LastLines> {
        Box::new(LastLines::of(self.stdout, self.stderr))
    }
}

/// `==ERROR== The application returned an error code (11).`
fn command_code(line: &str) -> Option<String> {
    let rest = line.split_once("application returned an error code (")?.1;
    Some(rest.split(')').next()?.chars().filter(char::is_ascii_digit).take(12).collect())
}

/// A line without its mark.
fn message(line: &str) -> String {
    let text = line.trim_start_matches("==ERROR==").trim_start_matches("==WARNING==").trim();
    text.chars().filter(|c| !crate::model::is_unshowable(*c)).take(LONGEST_ERROR).collect()
}
