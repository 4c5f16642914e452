//! What was to be measured: required benchmarks that are missing, and series that this commit left out.

use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::{Evidence, Unusable};
use super::super::points;
use super::super::selection::Selection;
use crate::judge::{Candidate, Series};
use crate::model::{BenchmarkName, Config, Metric, SeriesKey};
use crate::report::{Notice, words};
use crate::settings::Settings;

/// A point that the settings require.
struct Required {
    benchmark: BenchmarkName,
    config: Config,
    /// Where it is to be measured; `None` is anywhere.
    testbed: Option<String>,
    /// What is said to be missing where nothing is known of the point.
    metric: Metric,
}

impl Required {
    fn is_at(&self, key: &SeriesKey) -> bool {
        let is_there = self.testbed.as_ref().is_none_or(|testbed| *testbed == key.testbed);
        is_there && self.benchmark == key.benchmark && self.config == key.config
    }
}

/// Leaves what is judged: series that the candidate measured, and required ones that it did not.
pub(super) fn require(
    sides: &mut Vec<(Series, Candidate)>,
    policy: &Settings,
    selection: &Selection,
    evidence: &Evidence,
) -> Result<(), Unusable> {
    let mut missing = missing(sides, policy);
    missing.extend(dropped(sides, policy, evidence)?);
    sides.retain(|(series, candidate)| !candidate.runs.is_empty() || missing.iter().any(|point| point.is_at(&series.key)));
    for point in missing {
        if sides.iter().any(|(series, _)| point.is_at(&series.key)) {
            continue;
        }
        let Required { benchmark, config, testbed, metric } = point;
        let key = SeriesKey { benchmark, config, metric: metric.name.clone(), testbed: testbed.unwrap_or("any".to_owned()) };
        if selection.covers(&key) {
            sides.push((Series::empty(key, metric), Candidate::default()));
        }
    }
    Ok(())
}

/// The points that the settings name and the candidate was not measured at.
fn missing(sides: &[(Series, Candidate)], policy: &Settings) -> Vec<Required> {
    let measured = sides.iter().filter(|(_, candidate)| !candidate.runs.is_empty());
    let measured: BTreeSet<_> = measured.map(|(series, _)| (&series.key.benchmark, &series.key.config)).collect();
    let mut missing = Vec::new();
    for benchmark in policy.required() {
        let metric = benchmark.metrics.first().map_or_else(Metric::time, |metric| points::metric_of(&metric.source));
        let required = |config| Required { benchmark: benchmark.name.clone(), config, testbed: None, metric: metric.clone() };
        // A kernel's points stand in its manifest; that it was measured at all is what can be told here.
        if benchmark.kernel.is_some() && !measured.iter().any(|(name, _)| **name == benchmark.name) {
            missing.push(required(Config::empty()));
        }
        let points = benchmark.configs().iter().filter(|config| !measured.contains(&(&benchmark.name, *config)));
        missing.extend(points.cloned().map(required));
    }
    // Which benchmarks a suite has only its results tell: here, whether it was measured at all.
    for suite in policy.suites.iter().filter(|suite| suite.required) {
        if !measured.iter().any(|(name, _)| policy.suite_of(name) == Some(suite)) {
            let (benchmark, config) = (suite.name.clone(), Config::empty());
            missing.push(Required { benchmark, config, testbed: None, metric: Metric::time() });
        }
    }
    missing
}

/// The points of required suites and kernels that the newest measured commit of the history had, and the candidate, measured on
/// the same testbed, has not. What the history gave up before is not asked for.
fn dropped(sides: &mut [(Series, Candidate)], policy: &Settings, evidence: &Evidence) -> Result<Vec<Required>, Unusable> {
    let mut groups: BTreeMap<(BenchmarkName, String), Vec<&mut (Series, Candidate)>> = BTreeMap::new();
    for side in sides {
        if let Some(name) = required_group(policy, &side.0.key.benchmark) {
            groups.entry((name.clone(), side.0.key.testbed.clone())).or_default().push(side);
        }
    }
    let mut dropped = Vec::new();
    for ((_, testbed), mut group) in groups {
        if group.iter().all(|(_, candidate)| candidate.runs.is_empty()) {
            continue;
        }
        group.iter_mut().try_for_each(|(series, _)| evidence.load(series, 1))?;
        let position = |series: &Series| series.runs.first().map(|run| run.position);
        let newest = group.iter().filter_map(|(series, _)| position(series)).min();
        let has = |side: &&&mut (Series, Candidate)| !side.1.runs.is_empty();
        let measured: BTreeSet<_> = group.iter().filter(has).map(|(series, _)| point(series)).collect();
        let left_out = group.iter().filter(|(series, _)| newest.is_some() && position(series) == newest);
        dropped.extend(left_out.filter(|(series, _)| !measured.contains(&point(series))).map(|(series, _)| {
            let SeriesKey { benchmark, config, .. } = series.key.clone();
            Required { benchmark, config, testbed: Some(testbed.clone()), metric: series.metric.clone() }
        }));
    }
    Ok(dropped)
}

fn point(series: &Series) -> (&BenchmarkName, &Config) {
    (&series.key.benchmark, &series.key.config)
}

/// The required suite or kernel that a benchmark belongs to: what has points that the settings do not name.
fn required_group<'a>(policy: &'a Settings, benchmark: &BenchmarkName) -> Option<&'a BenchmarkName> {
    match policy.benchmark(benchmark) {
        Some(known) => (known.required && known.kernel.is_some()).then_some(&known.name),
        None => policy.suite_of(benchmark).filter(|suite| suite.required).map(|suite| &suite.name),
    }
}

/// Series of the history that this commit was not measured for, on the testbeds that it was measured on.
pub(super) fn unmeasured_notice(sides: &[(Series, Candidate)], evidence: &Evidence) -> Option<Notice> {
    let testbeds: BTreeSet<&str> =
        sides.iter().filter(|(_, candidate)| !candidate.runs.is_empty()).map(|(series, _)| series.key.testbed.as_str()).collect();
    let left_out: Vec<&Series> = sides
        .iter()
        .filter(|(series, candidate)| {
            candidate.runs.is_empty() && testbeds.contains(series.key.testbed.as_str()) && evidence.count(series) > 0
        })
        .map(|(series, _)| series)
        .collect();
    let first = left_out.first()?;
    let more = if left_out.len() > 1 { format!(" and {} more", left_out.len() - 1) } else { String::new() };
    Some(Notice::new(
        "not_measured_here",
        format!("{}{more}: measured before, but not on this commit", words::series_name(&first.key)),
    ))
}

/// Where the selection leaves nothing: what there is to select. A name with a slip in it is no commit without results.
pub(super) fn unselected_notice(evidence: &Evidence) -> Result<Option<Notice>, Unusable> {
    let every = evidence.outlines(&Selection::default())?;
    let names = |name: fn(&SeriesKey) -> &str| -> String {
        let names: BTreeSet<&str> = every.iter().map(|(series, _)| name(&series.key)).collect();
        words::a_few(&Vec::from_iter(names))
    };
    let (benchmarks, testbeds) = (names(|key| key.benchmark.as_str()), names(|key| key.testbed.as_str()));
    let notice = Notice::new("nothing_selected", "no results of this commit or its history are what was asked for")
        .hint(format!("there are results of {benchmarks}; on {testbeds}"));
    Ok((!every.is_empty()).then_some(notice))
}
