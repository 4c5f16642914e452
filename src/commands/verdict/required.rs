//! What was to be measured: required benchmarks that are missing, and series that this commit left out.

use std::collections::BTreeSet;

use super::super::evidence::Evidence;
use super::super::points;
use super::super::selection::Selection;
use crate::judge::{Candidate, Excluded, Series};
use crate::model::{BenchmarkName, Config, Metric, SeriesKey};
use crate::report::Notice;
use crate::settings::Settings;

/// A point that the settings require.
struct Required<'a> {
    benchmark: &'a BenchmarkName,
    config: Config,
    /// What is said to be missing where nothing is known of the point.
    metric: Metric,
}

/// Leaves what is judged: series that the candidate measured, and required ones that it did not.
pub(super) fn require(sides: &mut Vec<(Series, Candidate)>, policy: &Settings, selection: &Selection) {
    let missing = missing(sides, policy);
    let is_missing =
        |key: &SeriesKey| missing.iter().any(|point| *point.benchmark == key.benchmark && point.config == key.config);
    sides.retain(|(series, candidate)| !candidate.runs.is_empty() || is_missing(&series.key));
    for Required { benchmark, config, metric } in missing {
        if sides.iter().any(|(series, _)| series.key.benchmark == *benchmark && series.key.config == config) {
            continue;
        }
        let key = SeriesKey { benchmark: benchmark.clone(), config, metric: metric.name.clone(), testbed: "any".to_owned() };
        if selection.covers(&key) {
            sides.push((Series { key, metric, runs: Vec::new(), excluded: Excluded::default() }, Candidate::default()));
        }
    }
}

/// The points that the settings require and the candidate was not measured at.
fn missing<'a>(sides: &[(Series, Candidate)], policy: &'a Settings) -> Vec<Required<'a>> {
    let measured = sides.iter().filter(|(_, candidate)| !candidate.runs.is_empty());
    let measured: BTreeSet<_> = measured.map(|(series, _)| (&series.key.benchmark, &series.key.config)).collect();
    let mut missing = Vec::new();
    for benchmark in policy.required() {
        let metric = benchmark.metrics.first().map_or_else(Metric::time, |metric| points::metric_of(&metric.source));
        let required = |config| Required { benchmark: &benchmark.name, config, metric: metric.clone() };
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
            missing.push(Required { benchmark: &suite.name, config: Config::empty(), metric: Metric::time() });
        }
    }
    missing
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
        format!(
            "{} {} {}{more}: measured before, but not on this commit",
            first.key.benchmark, first.key.config, first.key.metric
        ),
    ))
}
