//! What the page is drawn from, packed: columns instead of objects, commits by number, values in the unit they are shown in
//! with five digits, intervals as offsets. A million runs fit into some fifteen megabytes.

use std::collections::HashMap;

use serde::Serialize;

use crate::judge::{Baseline, Estimate, SeriesVerdict, Verdict};
use crate::report::Notice;
use crate::report::escape::{terminal, terminal_short};
use crate::report::number::Scale;
use crate::report::overview::{Overview, SeriesHistory, Standing, TestbedEntry};
use crate::report::warnings::warnings_of;
use crate::report::words::{self, SHORT_ID};

/// A stranger's text is cut here: a page is no place for a novel in a name.
const LONGEST_TEXT: usize = 300;

/// The whole page.
#[derive(Serialize)]
pub(super) struct Page {
    tool: &'static str,
    repository: String,
    made: String,
    verdict: &'static str,
    against: String,
    candidate: usize,
    counts: Vec<(&'static str, usize)>,
    notices: Vec<(String, Option<String>)>,
    testbeds: Vec<Testbed>,
    commits: Commits,
    series: Vec<Series>,
}

#[derive(Serialize)]
struct Testbed {
    key: String,
    facts: Vec<(String, String)>,
    changed: Vec<String>,
}

/// One column for each thing that is known of a commit.
#[derive(Serialize, Default)]
struct Commits {
    id: Vec<String>,
    time: Vec<i64>,
    subject: Vec<String>,
    author: Vec<usize>,
    authors: Vec<String>,
}

#[derive(Serialize)]
struct Series {
    benchmark: String,
    config: String,
    metric: String,
    better: &'static str,
    unit: String,
    testbed: usize,
    verdict: &'static str,
    change: Option<f64>,
    baseline: Option<Shown>,
    current: Option<Shown>,
    noise: Option<f64>,
    why: Vec<String>,
    explain: Option<String>,
    /// The commits of the runs: the distance from the one before, and how often that distance follows.
    steps: Vec<(usize, usize)>,
    values: Vec<f64>,
    /// How far the interval reaches below the value, in ten thousandths of it.
    low: Option<Vec<Option<u64>>>,
    high: Option<Vec<Option<u64>>>,
    n: Count,
    /// Runs that can be no baseline.
    standing: Vec<(usize, &'static str)>,
    levels: Vec<(usize, usize, f64)>,
    ratchet: Vec<(usize, f64)>,
    excuses: Vec<(usize, String, String, String)>,
}

/// A loss that somebody accepted.
const EXCUSED: &str = "excused";

/// A baseline or a candidate.
#[derive(Serialize)]
struct Shown {
    raw: f64,
    shown: String,
    interval: Option<String>,
    set: Option<usize>,
}

/// How many measurements the runs made; mostly the same number.
#[derive(Serialize)]
#[serde(untagged)]
enum Count {
    Same(u64),
    Each(Vec<u64>),
}

impl Page {
    pub(super) fn of(overview: &Overview) -> Self {
        let judgement = &overview.judgement;
        let of_series = judgement.series.iter().flat_map(warnings_of);
        let notices = overview.notices.iter().cloned().chain(of_series);
        Self {
            tool: concat!("git-ratchet ", env!("CARGO_PKG_VERSION")),
            repository: clean(&overview.repository),
            made: overview.made.to_rfc3339(),
            verdict: judgement.verdict().as_str(),
            against: words::against(judgement),
            candidate: overview.commits.place(judgement.candidate).unwrap_or_default(),
            counts: counts(overview),
            notices: notices.map(|Notice { message, hint, .. }| (clean(&message), hint.as_deref().map(clean))).collect(),
            testbeds: overview.testbeds.iter().map(testbed).collect(),
            commits: commits(overview),
            series: overview.series.iter().map(|history| series(history, overview)).collect(),
        }
    }
}

fn clean(text: &str) -> String {
    terminal_short(text, LONGEST_TEXT)
}

fn testbed(entry: &TestbedEntry) -> Testbed {
    Testbed {
        key: clean(&entry.key),
        facts: entry.facts.iter().map(|(name, value)| (clean(name), clean(value))).collect(),
        changed: entry.changed.iter().map(|change| clean(&words::fact_change(change))).collect(),
    }
}

fn commits(overview: &Overview) -> Commits {
    let mut columns = Commits::default();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for entry in overview.commits.entries() {
        columns.id.push(entry.id.short(SHORT_ID));
        columns.time.push(entry.time.timestamp());
        columns.subject.push(terminal_short(&entry.subject, 120));
        let author = *known.entry(entry.author.as_str()).or_insert_with(|| {
            columns.authors.push(terminal_short(&entry.author, 80));
            columns.authors.len() - 1
        });
        columns.author.push(author);
    }
    columns
}

fn series(history: &SeriesHistory, overview: &Overview) -> Series {
    let verdict = history.verdict.as_ref();
    let typical = history.baseline().map(|baseline| baseline.value).or(history.points.last().map(|point| point.value));
    let scale = Scale::for_value(typical.unwrap_or(0.0), &history.metric.unit);
    let is_regression = verdict.is_some_and(|verdict| verdict.verdict == Verdict::Regression);
    let place_of_testbed = overview.testbeds.iter().position(|entry| entry.key == history.key.testbed);
    let excuses = history
        .excuses
        .iter()
        .map(|mark| (mark.commit, clean(&mark.author), mark.time.format("%Y-%m-%d").to_string(), clean(&mark.reason)));
    let standing = history.points.iter().enumerate().filter(|(_, point)| point.standing != Standing::Counts);
    Series {
        benchmark: clean(history.key.benchmark.as_str()),
        config: clean(&history.key.config.to_string()),
        metric: clean(history.metric.name.as_str()),
        better: history.metric.better.as_str(),
        unit: terminal(scale.unit()).into_owned(),
        testbed: place_of_testbed.unwrap_or(usize::from(u16::MAX)),
        verdict: status(history),
        change: verdict.and_then(|verdict| verdict.change_percent).filter(|percent| percent.is_finite()),
        baseline: history.baseline().map(|baseline| shown_baseline(baseline, &scale, history.set_at)),
        current: verdict.and_then(|verdict| verdict.candidate.as_ref()).map(|estimate| shown_estimate(estimate, &scale)),
        noise: verdict.and_then(|verdict| verdict.reasons.noise_percent).map(five_digits),
        why: verdict.map_or_else(Vec::new, why),
        explain: is_regression.then(|| clean(&words::explain_command(&history.key, overview.judgement.candidate))),
        steps: steps(history.points.iter().map(|point| point.commit)),
        values: history.points.iter().map(|point| five_digits(scale.scaled(point.value))).collect(),
        low: offsets(history, |point| point.low),
        high: offsets(history, |point| point.high),
        n: count(history.points.iter().map(|point| point.n).collect()),
        standing: standing.map(|(at, point)| (at, point.standing.as_str())).collect(),
        levels: history.levels.iter().map(|level| (level.from, level.to, five_digits(scale.scaled(level.value)))).collect(),
        ratchet: history.ratchet.iter().map(|step| (step.commit, five_digits(scale.scaled(step.value)))).collect(),
        excuses: excuses.collect(),
    }
}

/// The word of its verdict; a loss that somebody accepted is not called unchanged.
fn status(history: &SeriesHistory) -> &'static str {
    if history.verdict.as_ref().is_some_and(words::is_forgiven) { EXCUSED } else { history.status() }
}

/// How many series have each word, the excused ones before those that are unchanged.
fn counts(overview: &Overview) -> Vec<(&'static str, usize)> {
    let excused = overview.series.iter().filter(|history| status(history) == EXCUSED).count();
    let mut counts = overview.counts();
    if let Some(at) = counts.iter().position(|(word, _)| *word == Verdict::Pass.as_str()).filter(|_| excused > 0) {
        counts[at].1 -= excused;
        counts.insert(at, (EXCUSED, excused));
        counts.retain(|(_, count)| *count > 0);
    }
    counts
}

fn why(verdict: &SeriesVerdict) -> Vec<String> {
    let excuse = verdict.excuse.as_ref().map(words::excused);
    excuse.into_iter().chain(words::reasons(verdict)).map(|reason| clean(&reason)).collect()
}

fn shown_baseline(baseline: &Baseline, scale: &Scale, set: Option<usize>) -> Shown {
    let interval = interval(baseline.low, baseline.high, scale);
    Shown { raw: baseline.value, shown: scale.show(baseline.value), interval, set }
}

fn shown_estimate(estimate: &Estimate, scale: &Scale) -> Shown {
    let interval = interval(estimate.low, estimate.high, scale);
    Shown { raw: estimate.value, shown: scale.show(estimate.value), interval, set: None }
}

fn interval(low: Option<f64>, high: Option<f64>, scale: &Scale) -> Option<String> {
    low.zip(high).map(|(low, high)| format!("{} to {}", scale.number(low), scale.show(high)))
}

/// More digits than a screen has pixels.
fn five_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn steps(places: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut steps: Vec<(usize, usize)> = Vec::new();
    let mut last = 0;
    for place in places {
        let step = place - last;
        last = place;
        match steps.last_mut() {
            Some((same, times)) if *same == step => *times += 1,
            _ => steps.push((step, 1)),
        }
    }
    steps
}

/// `None` where no run has that end of its interval.
fn offsets(history: &SeriesHistory, end: fn(&crate::report::overview::Point) -> Option<f64>) -> Option<Vec<Option<u64>>> {
    let offset = |point| {
        let end: f64 = end(point)?;
        let share = ((end - point.value) / point.value).abs() * 1e4;
        share.is_finite().then_some(share.round() as u64)
    };
    let offsets: Vec<Option<u64>> = history.points.iter().map(offset).collect();
    offsets.iter().any(Option::is_some).then_some(offsets)
}

fn count(each: Vec<u64>) -> Count {
    match each.first() {
        Some(first) if each.iter().all(|n| n == first) => Count::Same(*first),
        _ => Count::Each(each),
    }
}
