//! Everything that a report shows, decided and looked up before: the verdicts of one commit and the series behind them.
//!
//! One structure, rendered by every format of `report` and by the markdown of `check`. It holds no sentences and no
//! scaled numbers: those are [`super::words`]' and [`super::number`]'s.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::Notice;
use super::roofline::TestbedRoofline;
use crate::judge::{Baseline, Judgement, SeriesVerdict, Verdict};
use crate::model::{Config, Metric, ObjectId, SeriesKey};

/// A commit as a report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitEntry {
    /// The commit.
    pub id: ObjectId,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// Whether a run may take part in a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Counts,
    /// Measured with uncommitted changes.
    Dirty,
    /// Failed verification, or beyond a physical limit.
    Barred,
    /// Not signed, where only what is signed counts.
    Untrusted,
}

impl Standing {
    /// The word in JSON and CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Dirty => "dirty",
            Self::Barred => "barred",
            Self::Untrusted => "untrusted",
        }
    }
}

/// One run of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Index into [`Overview::commits`].
    pub commit: usize,
    /// The run's median, in base units.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub high: Option<f64>,
    /// How many measurements the run made.
    pub n: u64,
    /// Whether it may take part in a baseline.
    pub standing: Standing,
}

/// A stretch of commits that share a level; between two of them lies a change point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The first commit, as an index into [`Overview::commits`].
    pub from: usize,
    /// The last commit.
    pub to: usize,
    /// The median of its runs, in base units.
    pub value: f64,
}

/// From this commit on, this baseline binds what comes later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Index into [`Overview::commits`].
    pub commit: usize,
    /// The baseline, in base units.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub high: Option<f64>,
}

/// An excuse where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ExcuseMark {
    /// Index into [`Overview::commits`].
    pub commit: usize,
    /// Who gave it.
    pub author: String,
    /// When.
    pub time: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// The word in place of a verdict where a series follows from another one that was judged.
const NOT_JUDGED: &str = "not_judged";

/// A series with its verdict and its history.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesHistory {
    /// The series.
    pub key: SeriesKey,
    /// Its unit and direction.
    pub metric: Metric,
    /// The verdict on the commit that the report is about; `None` where it was not measured and nobody requires it, and where
    /// it follows from another series.
    pub verdict: Option<SeriesVerdict>,
    /// Whether the commit was measured, and the verdict on another series says it all.
    pub is_follower: bool,
    /// Where the baseline was set, as an index into [`Overview::commits`].
    pub set_at: Option<usize>,
    /// Every run, oldest first.
    pub points: Vec<Point>,
    /// The stretches between its change points, oldest first.
    pub levels: Vec<Level>,
    /// The ratchet line, oldest step first.
    pub ratchet: Vec<Step>,
    /// Excuses that cover it, oldest first.
    pub excuses: Vec<ExcuseMark>,
}

impl SeriesHistory {
    /// The word of its verdict in JSON, CSV and the HTML page.
    pub fn status(&self) -> &'static str {
        let otherwise = if self.is_follower { NOT_JUDGED } else { Verdict::NotMeasured.as_str() };
        self.verdict.as_ref().map_or(otherwise, |verdict| verdict.verdict.as_str())
    }

    /// What binds, where the commit was judged.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.verdict.as_ref()?.baseline.as_ref()
    }

    /// The value of each commit, oldest first: the median of its runs that count.
    pub fn value_of_each_commit(&self) -> Vec<f64> {
        let counting: Vec<&Point> = self.points.iter().filter(|point| point.standing == Standing::Counts).collect();
        let of_commit = |points: &[&Point]| {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            crate::stats::median(&values)
        };
        counting.chunk_by(|one, other| one.commit == other.commit).filter_map(of_commit).collect()
    }
}

/// A testbed fact that is not what it was when the baseline was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// The fact, such as `driver`.
    pub name: String,
    /// What it was; `None` where it was not known.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

impl FactChange {
    /// What differs between two sets of facts, by name.
    pub fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Self> {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let change =
            |name: &String| Self { name: name.clone(), before: before.get(name).cloned(), after: after.get(name).cloned() };
        names.into_iter().map(change).filter(Self::is_told).collect()
    }

    /// The load of a computer is never the same twice: it is told from one busy core more or less on. Nor is the number of a job.
    fn is_told(&self) -> bool {
        let load = |fact: &Option<String>| fact.as_deref().and_then(|fact| fact.parse::<f64>().ok());
        match (self.name.as_str(), load(&self.before), load(&self.after)) {
            ("load_1min", Some(before), Some(after)) => (after - before).abs() >= 1.0,
            ("slurm_job", _, _) => false,
            _ => self.before != self.after,
        }
    }
}

/// Where the results come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestbedEntry {
    /// The testbed's key.
    pub key: String,
    /// The facts of its newest run.
    pub facts: BTreeMap<String, String>,
    /// What changed since the baseline was measured.
    pub changed: Vec<FactChange>,
}

/// What a report is about.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The name of the repository's folder.
    pub repository: String,
    /// When the report was made.
    pub made: DateTime<Utc>,
    /// The verdicts.
    pub judgement: Judgement,
    /// What else to know.
    pub notices: Vec<Notice>,
    /// Every commit that is named below, oldest first.
    pub commits: Commits,
    /// The series, in the order of their keys.
    pub series: Vec<SeriesHistory>,
    /// The testbeds, in the order of their keys.
    pub testbeds: Vec<TestbedEntry>,
    /// The kernels of the commit under the roofs of their testbeds, where that was asked for.
    pub rooflines: Vec<TestbedRoofline>,
}

impl Overview {
    /// How many series have each verdict, the worst first; those that nobody measured or required come last.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let worst_first =
            [Verdict::Regression, Verdict::NotMeasured, Verdict::Undecided, Verdict::Improvement, Verdict::New, Verdict::Pass];
        let count = |word: &'static str| (word, self.series.iter().filter(|series| series.status() == word).count());
        let words = worst_first.into_iter().map(Verdict::as_str).chain([NOT_JUDGED]);
        words.map(count).filter(|(_, count)| *count > 0).collect()
    }

    /// The history behind a verdict.
    pub fn history_of(&self, key: &SeriesKey) -> Option<&SeriesHistory> {
        let at = self.series.binary_search_by(|series| series.key.cmp(key)).ok()?;
        self.series.get(at)
    }
}

/// `benchmark config`, the config left out where it is empty.
pub fn point_name(benchmark: &str, config: &Config) -> String {
    if config.is_empty() { benchmark.to_owned() } else { format!("{benchmark} {config}") }
}

/// The commits of a report, each once, oldest first, found by index or id.
#[derive(Debug, Clone, Default)]
pub struct Commits {
    entries: Vec<CommitEntry>,
    places: HashMap<ObjectId, usize>,
}

impl Commits {
    /// Commits in this order, which is oldest first.
    pub fn new(entries: Vec<CommitEntry>) -> Self {
        let places = entries.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
        Self { entries, places }
    }

    /// All of them.
    pub fn entries(&self) -> &[CommitEntry] {
        &self.entries
    }

    /// The commit at an index.
    pub fn at(&self, place: usize) -> Option<&CommitEntry> {
        self.entries.get(place)
    }

    /// Where a commit stands.
    pub fn place(&self, id: ObjectId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// The commit with this id.
    pub fn get(&self, id: ObjectId) -> Option<&CommitEntry> {
        self.at(self.place(id)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_hardly_differs_is_no_change() {
        let facts = |load: &str, driver: &str| {
            BTreeMap::from([("driver".to_owned(), driver.to_owned()), ("load_1min".to_owned(), load.to_owned())])
        };
        let told = |before: &BTreeMap<String, String>, after: &BTreeMap<String, String>| -> Vec<String> {
            FactChange::between(before, after).into_iter().map(|change| change.name).collect()
        };
        assert!(told(&facts("0.31", "580"), &facts("0.92", "580")).is_empty());
        assert_eq!(told(&facts("0.31", "580"), &facts("7.5", "580")), ["load_1min"]);
        assert_eq!(told(&facts("0.31", "580"), &facts("0.31", "590")), ["driver"]);
    }
}
