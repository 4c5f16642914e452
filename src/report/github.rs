//! `check --format github`: annotations of GitHub Actions.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::escape::{self, github_property, github_value};
use super::number::change;
use super::words;
use crate::judge::{Judgement, Verdict};
use crate::model::SeriesKey;

/// GitHub shows ten annotations of a step and drops the others; the table in the summary has them all.
const MOST_ANNOTATIONS: usize = 10;

/// Where the code of a benchmark stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, from the root of the repository.
    pub file: String,
    /// The 1-based line, where it is known.
    pub line: Option<usize>,
}

impl Place {
    /// As properties of a workflow command, to stand before another one.
    fn properties(&self) -> String {
        let file = github_property(&escape::terminal(&self.file));
        let line = self.line.map_or_else(String::new, |line| format!("line={line},"));
        format!("file={file},{line}")
    }
}

/// Writes one workflow command for each series that does not hold; GitHub shows them on the pull request, at the line of the
/// benchmark's code where its place is known.
pub fn annotations(out: &mut dyn Write, judgement: &Judgement, places: &BTreeMap<SeriesKey, Place>) -> io::Result<()> {
    let mut failing: Vec<_> = judgement.series.iter().filter(|series| !series.verdict.holds()).collect();
    failing.sort_by_key(|series| std::cmp::Reverse(series.verdict));
    for series in failing.into_iter().take(MOST_ANNOTATIONS) {
        let level = if series.verdict == Verdict::Regression { "error" } else { "warning" };
        let title = format!("git-ratchet: {}", words::verdict(series.verdict));
        let moved = series.change_percent.map_or(String::new(), |percent| format!(" {}", change(percent)));
        let name = escape::terminal_short(&words::series_name(&series.key), 200);
        let reasons: Vec<String> = words::reasons(series).iter().map(|reason| escape::terminal_short(reason, 400)).collect();
        let message = format!("{name}{moved}\n{}", reasons.join("\n"));
        let place = places.get(&series.key).map_or_else(String::new, Place::properties);
        writeln!(out, "::{level} {place}title={}::{}", github_property(&title), github_value(&message))?;
    }
    Ok(())
}
