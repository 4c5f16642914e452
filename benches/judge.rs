//! What a check costs: a thousand series of a thousand runs, and ten of twenty thousand, on one core.

use chrono::DateTime;
use criterion::{Criterion, criterion_group, criterion_main};
use git_ratchet::judge::{
    BaselineRule, Candidate, MeasuredRun, NoisePrior, Series, SeriesInput, Thresholds, Verdict, judge_series, stretches,
};
use git_ratchet::model::{BenchmarkName, Config, LineId, Metric, ObjectId, SeriesKey, Summary};
use git_ratchet::stats::random::SplitMix64;

/// A stable series: noise of 1 %, no change.
fn series(number: usize, runs: usize) -> Series {
    let metric = Metric::time();
    let name = BenchmarkName::new(format!("benchmark {number}")).unwrap_or_else(|_| unreachable!("a plain name"));
    let key = SeriesKey { benchmark: name, config: Config::default(), metric: metric.name.clone(), testbed: "here".to_owned() };
    let mut random = SplitMix64::new(number as u64);
    let runs = (0..runs).map(|run| measured(run, runs - 1 - run, 0.01 * (1.0 + 0.035 * (random.unit() - 0.5)))).collect();
    Series { runs, ..Series::empty(key, metric) }
}

fn measured(number: usize, position: usize, value: f64) -> MeasuredRun {
    let mut bytes = [0; 20];
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    let commit = ObjectId::from_bytes(&bytes).unwrap_or_else(|| unreachable!("twenty bytes"));
    let summary = Summary { low: Some(value * 0.997), high: Some(value * 1.003), ..Summary::single(value) };
    MeasuredRun {
        commit,
        position,
        run: LineId::from_parts(1, number as u128),
        time: DateTime::UNIX_EPOCH,
        summary,
        machine_code: None,
    }
}

fn judge(series: &Series, family: usize) -> Verdict {
    let candidate = Candidate { runs: vec![measured(series.runs.len(), 0, 0.0101)], ..Candidate::default() };
    let input = SeriesInput {
        series,
        candidate: &candidate,
        thresholds: Thresholds::default(),
        rule: BaselineRule::Level,
        strict: false,
        excuses: &[],
        now: DateTime::UNIX_EPOCH,
        prior: NoisePrior::default(),
        pairs: &[],
        suspects: 1,
        family,
    };
    judge_series(&input).verdict
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    group.sample_size(10);
    for (count, runs) in [(1000, 1000), (10, 20_000)] {
        let all: Vec<Series> = (0..count).map(|number| series(number, runs)).collect();
        group.bench_function(format!("{count} series of {runs} runs"), |bencher| {
            bencher.iter(|| all.iter().map(|series| judge(series, count)).max());
        });
    }
    let long = series(0, 20_000);
    group.bench_function("stretches of 20000 runs", |bencher| bencher.iter(|| stretches(&long, NoisePrior::default())));
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
