//! The rules against series whose verdict is known, one file per rule.

mod assemble;
mod bisect;
mod confirm;
mod evidence;
mod excuse;
mod formulas;
mod level;
mod past;
mod plain;
mod profiling;
mod properties;
mod ratchet;
mod shape;
mod simulation;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::*;
use crate::model::{Author, BenchmarkName, Config, LineId, Metric, MetricName, ObjectId, Run, SeriesKey, Summary, Testbed, Unit};
use crate::stats::distribution;
use crate::stats::random::SplitMix64;

fn commit(number: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    ObjectId::from_bytes(&bytes).unwrap()
}

fn at(seconds: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds as i64, 0).unwrap()
}

fn measured(number: usize, position: usize, value: f64) -> MeasuredRun {
    let run = LineId::from_parts(1, number as u128);
    MeasuredRun { commit: commit(number), position, run, time: at(number), summary: Summary::single(value), machine_code: None }
}

fn key_of(metric: &Metric) -> SeriesKey {
    let benchmark = BenchmarkName::new("attention").unwrap();
    SeriesKey { benchmark, config: "S=512".parse().unwrap(), metric: metric.name.clone(), testbed: "H200".to_owned() }
}

fn exact(name: &str) -> Metric {
    let metric = Metric::infer(MetricName::new(name).unwrap(), Unit::ONE).unwrap();
    Metric { exact: true, ..metric }
}

fn throughput() -> Metric {
    Metric::infer(MetricName::new("throughput").unwrap(), Unit::FLOP_PER_SECOND).unwrap()
}

/// A history and a candidate, one run per commit, and how to judge them.
#[derive(Clone)]
struct Given {
    series: Series,
    candidate: Candidate,
    thresholds: Thresholds,
    rule: BaselineRule,
    strict: bool,
    excuses: Vec<PlacedExcuse>,
    now: DateTime<Utc>,
    prior: NoisePrior,
    pairs: Vec<Pair>,
    family: usize,
}

impl Given {
    /// Values oldest first; commit i of the history is `commit(i)`.
    fn new(metric: Metric, history: &[f64], candidate: &[f64]) -> Self {
        let runs = history.iter().enumerate().map(|(i, value)| measured(i, history.len() - 1 - i, *value)).collect();
        let of_candidate = candidate
            .iter()
            .enumerate()
            .map(|(i, value)| MeasuredRun { commit: commit(999_999), ..measured(1_000_000 + i, 0, *value) });
        Self {
            thresholds: Thresholds::for_metric(&metric, None, None),
            series: Series { runs, ..Series::empty(key_of(&metric), metric) },
            candidate: Candidate { runs: of_candidate.collect(), ..Candidate::default() },
            rule: BaselineRule::Level,
            strict: false,
            excuses: Vec::new(),
            now: at(0),
            prior: NoisePrior::default(),
            pairs: Vec::new(),
            family: 1,
        }
    }

    fn times(history: &[f64], candidate: f64) -> Self {
        Self::new(Metric::time(), history, &[candidate])
    }

    fn by(self, rule: BaselineRule) -> Self {
        Self { rule, ..self }
    }

    fn judge(&self) -> SeriesVerdict {
        self.judge_with(None)
    }

    fn judge_with(&self, older: Option<Older<'_>>) -> SeriesVerdict {
        let input = SeriesInput {
            series: &self.series,
            candidate: &self.candidate,
            thresholds: self.thresholds,
            rule: self.rule,
            strict: self.strict,
            excuses: &self.excuses,
            now: self.now,
            prior: self.prior,
            pairs: &self.pairs,
            suspects: 1,
            family: self.family,
        };
        judge_long_series(&input, older)
    }

    #[track_caller]
    fn check(&self, expected: Verdict) -> SeriesVerdict {
        let judged = self.judge();
        assert_eq!(judged.verdict, expected, "{judged:#?}");
        judged
    }
}

/// Seeded normal noise around values.
struct Noisy {
    random: SplitMix64,
    sigma: f64,
}

impl Noisy {
    fn new(seed: u64, sigma: f64) -> Self {
        Self { random: SplitMix64::new(seed), sigma }
    }

    fn around(&mut self, value: f64) -> f64 {
        value * (self.sigma * distribution::normal_quantile(self.random.unit()).unwrap()).exp()
    }

    fn many(&mut self, value: f64, runs: usize) -> Vec<f64> {
        (0..runs).map(|_| self.around(value)).collect()
    }
}
