//! Real histories with change points that people marked: SAP's performance regression data set in the form of
//! `sap_labelled_even.json.gz`, where every build is a commit with one to six runs.
//!
//! Where nobody marked anything, an alarm is false: every such stretch is a history of its own, so that a rule which
//! remembers is not blamed for a loss that people saw, too. A slow-down that most annotators marked, by 3 % or more, is
//! to be detected within twenty builds.
//!
//! What is chosen while looking at data flatters itself on them. So the histories also come in two halves, by a hash of their
//! series: who tunes a rule on one can look at the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use git_ratchet::stats::median;
use serde::Deserialize;

use super::Options;
use super::rule::{Maker, THRESHOLD};
use super::table::{Table, count, parallel, percent};

/// Builds around a mark that belong to neither stretch: people do not agree to the build.
const MARGIN: usize = 5;
/// Stretches with fewer builds are not looked at.
const SHORTEST: usize = 30;
/// A slow-down needs this many builds before it, for a rule to know the level.
const BEFORE: usize = 10;
/// It is to be detected within this many builds.
const WITHIN: usize = 20;
/// An alarm with another no more than this many builds before it continues that one: people hear of it once.
const STANDING: usize = 5;
const FEWEST_ANNOTATORS: usize = 3;
const MOST_RUNS: usize = 6;

#[derive(Deserialize)]
struct Labelled {
    name: String,
    runs: Vec<Vec<f64>>,
    annotations: BTreeMap<String, Vec<usize>>,
}

/// Builds that were measured, and what is marked among them.
struct History {
    /// Whether it is of the first half.
    first: bool,
    builds: Vec<Vec<f64>>,
    /// Every mark of anyone, ascending.
    marks: Vec<usize>,
    /// Slow-downs that most annotators marked.
    slower: Vec<usize>,
}

/// Detections with their delays, and alarms where nothing is.
#[derive(Default)]
struct Score {
    alarms: u64,
    failing: u64,
    clean: u64,
    delays: Vec<Option<usize>>,
}

/// The table for a file.
pub fn report(file: &Path, options: &Options) -> Result<String, String> {
    let told = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", file.display());
    let packed = File::open(file).map_err(|error| told(&error))?;
    let labelled: Vec<Labelled> =
        serde_json::from_reader(std::io::BufReader::new(flate2::read::GzDecoder::new(packed))).map_err(|error| told(&error))?;
    let histories: Vec<History> = labelled.into_iter().filter_map(History::new).collect();
    let (first, second): (Vec<&History>, Vec<&History>) = histories.iter().partition(|history| history.first);
    let all: Vec<&History> = histories.iter().collect();
    let parts = [("all", all), ("the first half", first), ("the second half", second)];
    Ok(parts.map(|(name, histories)| table(name, &histories, options).to_string()).join("\n"))
}

fn table(part: &str, histories: &[&History], options: &Options) -> Table {
    let title = format!("Labelled histories, {part}: {}", histories.len());
    let columns = [
        "false alarms per 1,000 clean builds",
        "builds failed per 1,000",
        "clean builds",
        "slow-downs",
        "detected, %",
        "median delay, builds",
    ];
    let mut table = Table::new(&title, "rule", columns);
    for (name, make) in options.rules().filter(|(name, _)| !name.contains("confirm")) {
        let score = total(parallel(options.threads, histories.len() as u64, |index| histories[index as usize].score(make)));
        let mut delays: Vec<f64> = score.delays.iter().flatten().map(|delay| *delay as f64).collect();
        delays.sort_unstable_by(f64::total_cmp);
        let cells = [
            count(score.alarms, score.clean),
            count(score.failing, score.clean),
            score.clean.to_string(),
            score.delays.len().to_string(),
            percent(delays.len() as u64, score.delays.len() as u64),
            median(&delays).map_or_else(|| "-".to_owned(), |delay| delay.to_string()),
        ];
        table.row(name, cells);
    }
    table
}

/// Whether a history is of the first half: by a hash of its series (Fowler, Noll and Vo's, 1a), so that the parts of one series
/// stay together.
fn is_first(name: &str) -> bool {
    let series = name.split("_split").next().unwrap_or(name);
    let hash =
        series.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    hash.count_ones() % 2 == 0
}

fn total(scores: Vec<Score>) -> Score {
    let add = |sum: Score, next: Score| Score {
        alarms: sum.alarms + next.alarms,
        failing: sum.failing + next.failing,
        clean: sum.clean + next.clean,
        delays: [sum.delays, next.delays].concat(),
    };
    scores.into_iter().fold(Score::default(), add)
}

impl History {
    /// `None` where too few people looked.
    fn new(labelled: Labelled) -> Option<Self> {
        let annotators = labelled.annotations.len();
        let first = is_first(&labelled.name);
        let logs = |runs: Vec<f64>| runs.into_iter().filter(|run| *run > 0.0).take(MOST_RUNS).map(f64::ln).collect();
        let builds: Vec<Vec<f64>> = labelled.runs.into_iter().map(logs).collect();
        let mut marks: Vec<usize> = labelled.annotations.values().flatten().copied().collect();
        marks.sort_unstable();
        let votes = |mark: usize| {
            let near = |marks: &&Vec<usize>| marks.iter().any(|other| other.abs_diff(mark) <= MARGIN);
            labelled.annotations.values().filter(near).count()
        };
        let agreed: Vec<usize> = marks.iter().copied().filter(|mark| 2 * votes(*mark) > annotators).collect();
        let places: Vec<usize> = agreed.chunk_by(|a, b| b - a <= MARGIN).map(|near| near[near.len() / 2]).collect();
        marks.dedup();
        let mut history = Self { first, builds, marks, slower: Vec::new() };
        history.slower =
            places.into_iter().filter(|place| history.loss_at(*place).is_some_and(|loss| loss > THRESHOLD)).collect();
        (annotators >= FEWEST_ANNOTATORS).then_some(history)
    }

    /// By how much the builds from a mark to the next are slower than those since the mark before.
    fn loss_at(&self, place: usize) -> Option<f64> {
        let level = |builds: Range<usize>| median(&self.builds.get(builds)?.concat());
        let (before, after) = (self.start_before(place), self.end_after(place));
        Some(level(place..after.min(place + WITHIN))? - level(before.max(place.saturating_sub(WITHIN))..place)?)
    }

    fn start_before(&self, place: usize) -> usize {
        self.marks.iter().copied().rfind(|mark| mark + MARGIN < place).unwrap_or(0)
    }

    fn end_after(&self, place: usize) -> usize {
        self.marks.iter().copied().find(|mark| *mark > place + MARGIN).unwrap_or(self.builds.len())
    }

    fn score(&self, make: Maker) -> Score {
        let mut score = Score::default();
        for stretch in self.unmarked() {
            let replayed = self.replay(make, stretch);
            score.clean += replayed.judged;
            score.failing += replayed.alarms.len() as u64;
            score.alarms += replayed.new_alarms().count() as u64;
        }
        for &place in self.slower.iter().filter(|place| **place >= self.start_before(**place) + BEFORE) {
            let end = self.end_after(place).min(place + WITHIN + 1);
            let replayed = self.replay(make, self.start_before(place)..end);
            let detected = replayed.new_alarms().find(|alarm| *alarm >= place);
            score.delays.push(detected.map(|alarm| alarm - place));
        }
        score
    }

    /// The stretches from shortly behind a mark of anyone to the next.
    fn unmarked(&self) -> Vec<Range<usize>> {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|mark| mark + MARGIN));
        let ends = self.marks.iter().copied().chain([self.builds.len()]);
        starts.zip(ends).map(|(start, end)| start..end).filter(|stretch| stretch.len() >= SHORTEST).collect()
    }

    fn replay(&self, make: Maker, stretch: Range<usize>) -> Replayed {
        let mut rule = make();
        let mut replayed = Replayed::default();
        for build in stretch.filter(|build| !self.builds[*build].is_empty()) {
            let runs = &self.builds[build];
            replayed.judged += 1;
            replayed.alarms.extend(rule.judge(runs, None).alarm.then_some(build));
            rule.record(runs);
        }
        replayed
    }
}

/// What a rule said of the builds of a stretch.
#[derive(Default)]
struct Replayed {
    judged: u64,
    /// The builds that it failed.
    alarms: Vec<usize>,
}

impl Replayed {
    /// Alarms that do not continue another.
    fn new_alarms(&self) -> impl Iterator<Item = usize> {
        let before = std::iter::once(None).chain(self.alarms.iter().copied().map(Some));
        let is_new = |(alarm, before): (&usize, Option<usize>)| before.is_none_or(|before| before + STANDING < *alarm);
        self.alarms.iter().zip(before).filter(move |pair| is_new(*pair)).map(|(alarm, _)| *alarm)
    }
}
