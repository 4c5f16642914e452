//! What differs between the commit that holds a baseline and the commit that is held against it: found before, and shown by
//! every format of `explain`.

use std::fmt::Write as _;

use super::number::{change, count};
use super::overview::{CommitEntry, FactChange};
use super::words::{self, SHORT_ID};
use crate::judge::{Quantiles, SeriesVerdict, Shape};
use crate::model::Metric;

/// The differences, as far as they were found.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The series and its verdict.
    pub verdict: SeriesVerdict,
    /// The commit that is explained.
    pub candidate: CommitEntry,
    /// The newest commit that holds the baseline.
    pub reference: CommitEntry,
    /// Hashes of the machine code at both, where the results carry them.
    pub machine_code: Option<(String, String)>,
    /// The globs of the benchmark's input files; empty where the settings give none, and every file counts.
    pub inputs: Vec<String>,
    /// The input files that differ.
    pub files: Vec<ChangedFile>,
    /// How many more input files differ than `files` holds.
    pub more_files: usize,
    /// How many other files differ.
    pub other_files: usize,
    /// How many commits lie between the two, the candidate included.
    pub commits_between: usize,
    /// Those of them that changed input files, newest first.
    pub commits: Vec<CommitEntry>,
    /// How many more there are.
    pub more_commits: usize,
    /// Where the records of the commits in between say that it moved, if they do.
    pub moved: Option<Moved>,
    /// Facts of the testbed that differ.
    pub facts: Vec<FactChange>,
    /// The other metrics of the same point that differ, exact ones first.
    pub metrics: Vec<MetricChange>,
    /// What Nsight Compute counted differently, in sentences, where both commits were profiled.
    pub counters: Vec<String>,
    /// Both samples, quantile by quantile.
    pub quantiles: Option<Quantiles>,
}

/// Two neighbours among the measured commits, and most of the move between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The last before the move.
    pub before: CommitEntry,
    /// The first after it.
    pub after: CommitEntry,
    /// How many commits came after the one, up to the other: 1 where it is known which one it was.
    pub commits: usize,
    /// The median of what was measured before, in base units.
    pub value_before: f64,
    /// The same after.
    pub value_after: f64,
}

/// A metric of the same point, at both commits.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricChange {
    /// The metric.
    pub metric: Metric,
    /// Its value at the reference, in base units.
    pub before: f64,
    /// Its value at the candidate.
    pub after: f64,
    /// The change in percent, positive is better; `None` from zero.
    pub change_percent: Option<f64>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The difference, or why it is not shown.
    pub content: Content,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other content.
    Modified,
}

impl ChangeKind {
    /// The word in text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
        }
    }
}

/// How a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Lines of a unified diff, without its file header.
    Diff(Vec<DiffLine>),
    /// It is no text.
    Binary,
    /// It is too large to be compared.
    TooLarge,
    /// Enough was shown before it.
    LeftOut,
}

/// A line of a unified diff, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// What kind of line it is.
    pub kind: LineKind,
    /// The line with its sign, without a line feed.
    pub text: String,
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Where a hunk lies.
    Place,
    /// On both sides.
    Same,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// `attention [B=32 H=8] time: 12.35 ms → 16.10 ms, −30.3 % (regression)`.
pub fn headline(explanation: &Explanation) -> String {
    let series = &explanation.verdict;
    let known = series.baseline.as_ref().map_or(0.0, |baseline| baseline.value);
    let scale = super::number::Scale::for_value(known, &series.metric.unit);
    let baseline = series.baseline.as_ref().map_or_else(|| "–".to_owned(), |baseline| scale.show(baseline.value));
    let current = series.candidate.as_ref().map_or_else(|| "–".to_owned(), |estimate| scale.show(estimate.value));
    let moved = series.change_percent.map_or(String::new(), |percent| format!(", {}", change(percent)));
    format!("{}: {baseline} → {current}{moved} ({})", words::series_name(&series.key), words::verdict(series.verdict))
}

/// What was found, one sentence each, the strongest evidence first.
pub fn findings(explanation: &Explanation) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(explanation.machine_code.as_ref().map(|(before, after)| {
        if before == after {
            "the machine code is the same: look at the testbed and at what the host does, not at the kernel".to_owned()
        } else {
            format!("the machine code differs: {} → {}", short(before), short(after))
        }
    }));
    found.push(files_sentence(explanation));
    found.extend(explanation.moved.as_ref().map(|moved| moved_sentence(explanation, moved)));
    let exact: Vec<String> = explanation.metrics.iter().filter(|change| change.metric.exact).map(metric_words).collect();
    if !exact.is_empty() {
        found.push(format!("{}, which noise cannot change", exact.join(", ")));
    }
    found.extend(explanation.counters.iter().map(|counter| format!("counted by Nsight Compute: {counter}")));
    if !explanation.facts.is_empty() {
        let facts: Vec<String> = explanation.facts.iter().map(words::fact_change).collect();
        found.push(format!("the testbed changed: {}", facts.join("; ")));
    }
    found.extend(explanation.quantiles.as_ref().map(|quantiles| shape_sentence(quantiles.shape).to_owned()));
    found
}

fn files_sentence(explanation: &Explanation) -> String {
    let inputs = if explanation.inputs.is_empty() {
        "of the repository".to_owned()
    } else {
        format!("among the benchmark's inputs ({})", explanation.inputs.join(", "))
    };
    let files = explanation.files.len() + explanation.more_files;
    let commits = explanation.commits.len() + explanation.more_commits;
    let other = match explanation.other_files {
        0 => String::new(),
        other => format!("; {} elsewhere", count(other, "file")),
    };
    if files == 0 {
        return format!("no file {inputs} differs{other}");
    }
    format!("{} {inputs} changed, by {commits} of {}{other}", count(files, "file"), count(explanation.commits_between, "commit"))
}

fn moved_sentence(explanation: &Explanation, moved: &Moved) -> String {
    let Moved { before, after, commits, value_before, value_after } = moved;
    let scale = super::number::Scale::for_value(*value_before, &explanation.verdict.metric.unit);
    let values = format!("{} → {}", scale.show(*value_before), scale.show(*value_after));
    let after_text = format!("{} ({}: {})", after.id.short(SHORT_ID), after.author, after.subject);
    match commits {
        1 => format!("by the records it moved at {after_text}: {values}"),
        commits => format!(
            "by the records it moved between {} and {after_text}, {}: {values}",
            before.id.short(SHORT_ID),
            count(*commits, "commit")
        ),
    }
}

fn metric_words(metric: &MetricChange) -> String {
    let scale = super::number::Scale::for_value(metric.before, &metric.metric.unit);
    let mut text = format!("{} {} → {}", metric.metric.name, scale.show(metric.before), scale.show(metric.after));
    if let Some(percent) = metric.change_percent {
        let _ = write!(text, " ({})", change(percent));
    }
    text
}

fn shape_sentence(shape: Shape) -> &'static str {
    match shape {
        Shape::Shifted => "every measurement is affected: the fast ones got slower like the slow ones",
        Shape::SlowPart => "the fast measurements are as fast as before, the slow ones got slower: a slow mode, or a longer tail",
        Shape::Spread => "all measurements are affected, the slow ones most",
        Shape::NotWorse => "within the newest runs of both commits, the measurements did not get worse",
    }
}

/// Enough of a hash to tell two apart.
fn short(hash: &str) -> String {
    hash.chars().take(16).collect()
}
