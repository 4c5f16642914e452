//! Of a long history a digest says the same as all of its runs.

use std::ops::Range;

use proptest::prelude::*;

use super::super::past::Binding;
use super::*;
use crate::model::Direction;

/// A long series: levels, noise, outliers, and commits that were measured more than once.
fn long_series(metric: Metric, commits: usize, seed: u64, sigma: f64) -> Series {
    let mut noisy = Noisy::new(seed, sigma);
    let mut runs = Vec::new();
    let mut level = 0.01;
    for at in 0..commits {
        if noisy.random.below(400) == 0 {
            level *= noisy.random.unit().mul_add(0.2, 0.9);
        }
        let outlier = if noisy.random.below(60) == 0 { 1.0 + noisy.random.unit() } else { 1.0 };
        for _ in 0..1 + usize::from(noisy.random.below(9) == 0) * 2 {
            let run = measured(runs.len(), commits - 1 - at, noisy.around(level * outlier));
            runs.push(MeasuredRun { commit: commit(at), machine_code: Some(format!("code {}", at % 7)), ..run });
        }
    }
    Series { runs, ..Series::empty(key_of(&metric), metric) }
}

fn of_age(run: &MeasuredRun, newest: usize) -> (u32, f64) {
    ((newest - run.position) as u32, run.value())
}

/// A digest of the runs up to a commit, as it comes back from where it was kept.
fn kept_digest(series: &Series, commits: usize) -> Option<Digest> {
    let newest = series.runs[0].position;
    let known: Vec<(u32, f64)> =
        series.runs.iter().map(|run| of_age(run, newest)).filter(|(age, _)| (*age as usize) < commits).collect();
    let digest = Digest::of(series.metric.better, &known)?;
    let words = digest.words();
    assert!(words.len() < 3000, "{} words", words.len());
    assert_eq!(Digest::from_words(&words[..words.len() - 1]), None);
    assert_eq!(Digest::from_words(&words).as_ref(), Some(&digest));
    Some(digest)
}

/// The runs that have to be at hand beside a digest.
fn at_hand(series: &Series, digest: &Digest) -> Series {
    Series { runs: series.runs[digest.first_at_hand()..].to_vec(), ..series.clone() }
}

/// Judges the series with all of its runs, and with a digest in place of the oldest.
fn both_ways(given: &Given, digest: &Digest) -> (SeriesVerdict, SeriesVerdict) {
    let read = |numbers: Range<usize>| given.series.runs[numbers].to_vec();
    let older = Older { digest, read: &read };
    let at_hand = at_hand(&given.series, digest);
    assert!(digest.serves(&at_hand, &given.candidate, &given.excuses));
    (given.judge(), Given { series: at_hand, ..given.clone() }.judge_with(Some(older)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn a_digest_changes_no_verdict(
        commits in 2_900usize..6_000,
        since in 0usize..700,
        seed: u64,
        sigma in prop::sample::select(vec![0.0, 0.002, 0.01, 0.03]),
        candidate in 0.5f64..1.5,
        is_rate: bool,
        rule in prop::sample::select(vec![BaselineRule::Level, BaselineRule::BestRun]),
    ) {
        let series = long_series(if is_rate { throughput() } else { Metric::time() }, commits, seed, sigma);
        let newest = series.runs.last().unwrap().value();
        let Some(digest) = kept_digest(&series, commits - since) else {
            prop_assert!(commits - since < 3072);
            return Ok(());
        };
        let given = Given { series, ..Given::new(Metric::time(), &[], &[candidate * newest]) }.by(rule);
        let given = Given { candidate: Candidate { runs: with_code(given.candidate.runs), ..Candidate::default() }, ..given };
        let (whole, by_digest) = both_ways(&given, &digest);
        prop_assert_eq!(whole, by_digest);
        // An excuse among the runs at hand sets the others aside.
        let excuse = PlacedExcuse { excuse: super::excuse::excuse(), place: ExcusePlace::History(1 + since / 2) };
        let (whole, by_digest) = both_ways(&Given { excuses: vec![excuse], ..given }, &digest);
        prop_assert!(whole.excuse.is_some());
        prop_assert_eq!(whole, by_digest);
    }
}

fn with_code(mut runs: Vec<MeasuredRun>) -> Vec<MeasuredRun> {
    runs.iter_mut().for_each(|run| run.machine_code = Some("code 3".into()));
    runs
}

/// The level may lie where only the digest tells of it; then its newest runs are brought.
#[test]
fn the_best_level_of_long_ago_binds_with_its_commits() {
    let mut noisy = Noisy::new(7, 0.005);
    let history: Vec<f64> = (0..9000).map(|at| noisy.around(if (1000..1500).contains(&at) { 0.0095 } else { 0.0100 })).collect();
    let given = Given::times(&history, 0.0100);
    let digest = kept_digest(&given.series, 9000).unwrap();
    let (whole, by_digest) = both_ways(&given, &digest);
    assert_eq!(whole, by_digest);
    let baseline = by_digest.baseline.unwrap();
    assert!((baseline.value / 0.0095 - 1.0).abs() < 0.002, "{baseline:?}");
    assert!((400..=500).contains(&baseline.runs), "{baseline:?}");
    assert_eq!(baseline.commits.len(), Baseline::MOST_COMMITS);
    assert_eq!(by_digest.reasons.history_runs, 9000);
    assert!(by_digest.reasons.creep.is_some(), "{:?}", by_digest.reasons);
}

#[test]
fn where_a_digest_would_say_something_else_it_does_not_serve() {
    let given = Given::times(&Noisy::new(3, 0.01).many(0.01, 4000), 0.01);
    let digest = kept_digest(&given.series, 4000).unwrap();
    let serves = |given: &Given| digest.serves(&at_hand(&given.series, &digest), &given.candidate, &given.excuses);
    assert!(serves(&given));
    assert!(!serves(&Given { candidate: Given::times(&[], 0.0).candidate, ..given.clone() }));
    let mut turned = given.clone();
    turned.series.metric.better = Direction::Higher;
    assert!(!serves(&turned));
    let excused = |place| vec![PlacedExcuse { excuse: super::excuse::excuse(), place }];
    assert!(serves(&Given { excuses: excused(ExcusePlace::History(10)), ..given.clone() }));
    assert!(!serves(&Given { excuses: excused(ExcusePlace::History(3900)), ..given.clone() }));
    assert!(serves(&Given { excuses: excused(ExcusePlace::Candidate), ..given.clone() }));
    let with_zero: Vec<(u32, f64)> = (0..4000).map(|age| (age, f64::from(age.min(1)))).collect();
    assert_eq!(Digest::of(Direction::Lower, &with_zero), None);
}

#[test]
fn of_equally_good_runs_of_long_ago_the_newest_is_the_best() {
    for (metric, best) in [(Metric::time(), 0.5), (throughput(), 2.0)] {
        let history: Vec<f64> = (0..4000).map(|at| if at == 100 || at == 300 { best } else { 1.0 }).collect();
        let given = Given::new(metric, &history, &[1.0]).by(BaselineRule::BestRun);
        let (whole, by_digest) = both_ways(&given, &kept_digest(&given.series, 4000).unwrap());
        assert_eq!(whole, by_digest);
        assert_eq!(by_digest.baseline.unwrap().commits, [commit(300)]);
    }
}

#[test]
fn a_digest_that_asks_for_more_than_it_stands_for_is_none() {
    let given = Given::times(&Noisy::new(3, 0.01).many(0.01, 4000), 0.01);
    let words = kept_digest(&given.series, 4000).unwrap().words();
    for at_hand in [3, 4] {
        let mut damaged = words.clone();
        damaged[at_hand] += 4000;
        assert_eq!(Digest::from_words(&damaged), None);
    }
}

#[test]
fn one_lucky_run_of_long_ago_is_not_a_level() {
    let mut history = Noisy::new(1, 0.005).many(0.010, 4000);
    history[500] = 0.0080;
    let baseline = Given::times(&history, 0.010).check(Verdict::Pass).baseline.unwrap();
    assert!((0.0098..0.0101).contains(&baseline.value), "{baseline:?}");
}

/// Some commits were measured twice: the oldest of the newest 256 is brought with all of its runs.
#[test]
fn the_newest_commits_of_a_stretch_are_the_same_brought_or_at_hand() {
    let mut series = Given::times(&[0.010; 4200], 1.0).series;
    for at in (0..4200).step_by(200) {
        (series.runs[at].position, series.runs[at].commit) = (series.runs[at + 1].position, series.runs[at + 1].commit);
    }
    let digest = kept_digest(&series, 4200).unwrap();
    let read = |numbers: Range<usize>| series.runs[numbers].to_vec();
    let newest = at_hand(&series, &digest);
    let by_digest = Binding { older: Some(Older { digest: &digest, read: &read }), runs: &newest.runs };
    let whole = Binding { older: None, runs: &series.runs };
    for end in (550..800).filter(|end| series.runs[*end].position != series.runs[end - 1].position) {
        for start in [0, end.saturating_sub(100) / 200 * 200] {
            assert_eq!(by_digest.newest_of(start..end), whole.newest_of(start..end), "{start}..{end}");
        }
    }
}
