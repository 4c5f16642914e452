//! Records into series: what counts once, what is left out, and in which order.

use super::*;
use crate::model::{Measurement, Record};

struct Stored {
    run: Run,
    record: Record,
}

fn stored(number: usize, value: f64) -> Stored {
    let id = LineId::from_parts(number as u64, 0);
    let testbed = Testbed::new("H200", BTreeMap::new()).unwrap();
    let measurement = Measurement {
        benchmark: BenchmarkName::new("attention").unwrap(),
        config: Config::empty(),
        metric: Metric::time(),
        summary: Summary::single(value),
        values: vec![value],
        warnings: Vec::new(),
        barred: None,
        machine_code: None,
    };
    let run = Run {
        id,
        time: at(number),
        author: Author::default(),
        tool: "test".to_owned(),
        commit: commit(number),
        tree: commit(number),
        dirty: false,
        session: None,
        testbed,
    };
    Stored { record: Record::new(LineId::from_parts(number as u64, 1), id, measurement), run }
}

fn on(stored: &Stored, position: usize) -> HistoryRecord<'_> {
    HistoryRecord { commit: commit(100 + position), position, run: &stored.run, record: &stored.record }
}

fn values(series: &Series) -> Vec<f64> {
    series.runs.iter().map(MeasuredRun::value).collect()
}

#[test]
fn runs_stand_oldest_first_whatever_the_order_of_reading() {
    let [a, b, c] = [1, 2, 3].map(|number| stored(number, number as f64));
    let assembled = assemble([on(&c, 0), on(&b, 5), on(&a, 5)], []);
    let [(series, candidate)] = assembled.as_slice() else { panic!("{assembled:?}") };
    assert_eq!(values(series), [1.0, 2.0, 3.0]);
    assert!(candidate.runs.is_empty());
}

#[test]
fn a_record_on_two_commits_of_one_tree_counts_once_at_the_newer() {
    let [fast, slow] = [stored(1, 1.0), stored(2, 2.0)];
    let assembled = assemble([on(&fast, 9), on(&slow, 5), on(&fast, 0)], []);
    assert_eq!(values(&assembled[0].0), [2.0, 1.0]);
    assert_eq!(assembled[0].0.runs[1].position, 0);
}

#[test]
fn what_a_metric_follows_from_is_said_by_the_newest_run_and_makes_no_other_series() {
    let [old, mut new] = [stored(1, 1.0), stored(2, 2.0)];
    new.record.metric = new.record.metric.following(&MetricName::new("latency").unwrap());
    let assembled = assemble([on(&old, 1)], [on(&new, 0)]);
    let [(series, candidate)] = assembled.as_slice() else { panic!("{assembled:?}") };
    assert_eq!((&series.metric, series.runs.len()), (&Metric::time(), 1), "the series is the one that it always was");
    assert_eq!(candidate.follows.as_ref().map(MetricName::as_str), Some("latency"));
}

#[test]
fn what_can_be_no_baseline_is_left_out_and_counted() {
    let mut records = [1, 2, 3, 4].map(|number| stored(number, 1.0));
    records[0].run.dirty = true;
    records[1].record.barred = Some("beyond the peak bandwidth".to_owned());
    records[2].record.metric.unit = Unit::BYTE;
    let assembled = assemble(records.iter().enumerate().map(|(i, stored)| on(stored, 9 - i)), []);
    let series = &assembled[0].0;
    assert_eq!((series.runs.len(), series.excluded), (1, Excluded { dirty: 1, barred: 1, other_unit: 1, untrusted: 0 }));
    assert_eq!(Excluded { dirty: 1, barred: 2, other_unit: 4, untrusted: 8 }.total(), 15);
    let judged = Given { series: series.clone(), ..Given::times(&[], 1.0) }.check(Verdict::Pass);
    assert_eq!(judged.warnings, [JudgeWarning::Excluded(series.excluded)]);
}

#[test]
fn a_dirty_or_barred_candidate_is_judged_and_marked() {
    let mut fresh = stored(2, 1.0);
    fresh.run.dirty = true;
    fresh.record.barred = Some("wrong result".to_owned());
    let old = stored(1, 1.0);
    let assembled = assemble([on(&old, 0)], [on(&fresh, 0)]);
    let (series, candidate) = &assembled[0];
    assert_eq!((candidate.runs.len(), candidate.dirty), (1, true));
    let judged = Given { series: series.clone(), candidate: candidate.clone(), ..Given::times(&[], 1.0) }.check(Verdict::Pass);
    let barred = JudgeWarning::BarredCandidate { reason: "wrong result".to_owned() };
    assert_eq!(judged.warnings, [JudgeWarning::DirtyCandidate, barred]);
}

#[test]
fn untrusted_records_are_never_a_baseline_and_a_candidate_only_alone() {
    let untrusted = |number, value| {
        let mut stored = stored(number, value);
        stored.record.barred = Some(Record::UNTRUSTED.to_owned());
        stored
    };
    let (old, fast, signed, unsigned) = (stored(1, 2.0), untrusted(2, 1.0), stored(3, 2.1), untrusted(4, 0.1));
    let assembled = assemble([on(&old, 2), on(&fast, 1)], [on(&signed, 0), on(&unsigned, 0)]);
    let (series, candidate) = &assembled[0];
    assert_eq!((values(series), series.excluded.untrusted, series.excluded.barred), (vec![2.0], 1, 0));
    assert_eq!((candidate.runs.len(), candidate.runs[0].value(), candidate.untrusted), (1, 2.1, false));
    let mut in_bytes = untrusted(5, 1.0);
    in_bytes.record.metric.unit = Unit::BYTE;
    let assembled = assemble([on(&old, 2)], [on(&signed, 0), on(&in_bytes, 0)]);
    assert_eq!(assembled[0].0.excluded.total(), 0, "an untrusted unit does not set the history aside");
    let assembled = assemble([on(&old, 2)], [on(&unsigned, 0)]);
    let (series, candidate) = assembled[0].clone();
    let judged = Given { series, candidate, ..Given::times(&[], 1.0) }.check(Verdict::Improvement);
    assert_eq!(judged.warnings, [JudgeWarning::UntrustedCandidate]);
}

#[test]
fn testbeds_are_never_compared() {
    let here = stored(1, 1.0);
    let mut there = stored(2, 1.0);
    there.run.testbed = Testbed::new("A100", BTreeMap::new()).unwrap();
    let assembled = assemble([on(&here, 0)], [on(&there, 0)]);
    let found: Vec<_> = assembled
        .iter()
        .map(|(series, candidate)| (series.key.testbed.as_str(), series.runs.len(), candidate.runs.len()))
        .collect();
    assert_eq!(found, [("A100", 0, 1), ("H200", 1, 0)]);
}
