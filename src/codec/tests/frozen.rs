//! What was ever written is read forever: frozen notes, and lines byte for byte.

use super::*;

#[test]
fn the_field_order_is_frozen() {
    let line = Entry::Record(record(&[0.012, 0.0125, 0.013])).encode();
    assert_eq!(
        line,
        r#"{"v":1,"type":"record","id":"01HF7YAT000000000000000002","run":"01HF7YAT000000000000000001","benchmark":"attention","config":{"B":"32","H":"8"},"metric":"time","unit":"s","better":"lower","follows":"cycles","n":3,"median":0.0123,"low":0.01,"mean":0.0123,"sample":{"exp":-4,"deltas":[120,5,5]},"warnings":["slow_first",{"drift":{"percent":1.5}}],"machine_code":"0f3a"}"#
    );
}

#[test]
fn the_field_order_of_a_profile_is_frozen() {
    assert_eq!(
        Entry::Profile(profile()).encode(),
        r#"{"v":1,"type":"profile","id":"01HF7YAT000000000000000004","run":"01HF7YAT000000000000000001","benchmark":"attention","config":{"B":"32","H":"8"},"kernel":"void flash<64, 128>(float const*, \"x\")","launches":1,"metrics":{"gpu__time_duration.sum":{"value":0.000335,"unit":"s"},"launch__registers_per_thread":{"value":128,"unit":"1"},"sm__warps_active.avg.pct_of_peak_sustained_active":{"value":24.75,"unit":"%"}},"report":{"path":".git/ratchet/profiles/a/b.ncu-rep","blob":"0707070707070707070707070707070707070707","bytes":123456}}"#
    );
}

#[test]
fn notes_of_version_1_are_read_forever() {
    let note = decoded(include_bytes!("../../../tests/data/notes/v1.jsonl"));
    assert_eq!((note.runs.len(), note.records.len(), note.excuses.len(), note.unreadable.len()), (1, 4, 1, 0));
    assert_eq!(note.profiles.len(), 1);
    assert_eq!(note.records[0].summary.median, 0.0123);
    assert_eq!(note.run_of(&note.records[0]).unwrap().testbed.key(), "CPU · 2 cores");
}

#[test]
fn what_a_metric_follows_is_read_forever() {
    let line = include_str!("../../../tests/data/notes/v1-follows.jsonl");
    let note = decoded(line.as_bytes());
    assert_eq!((note.records.len(), note.unreadable.len()), (1, 0));
    assert_eq!(note.records[0].metric.follows.as_ref().map(MetricName::as_str), Some("time"));
    assert_eq!(Entry::Record(note.records[0].clone()).encode() + "\n", line);
}

const WHOLE_SAMPLES: &[u8] = include_bytes!("../../../tests/data/notes/v1-whole-samples.jsonl");

#[test]
fn statistics_that_stand_in_no_line_are_those_of_the_sample() {
    let note = decoded(WHOLE_SAMPLES);
    assert_eq!((note.records.len(), note.unreadable.len()), (4, 0));
    let [time, memory, thinned, partial] = note.records.iter().map(|record| &record.summary).collect::<Vec<_>>()[..] else {
        panic!("four records");
    };
    let all = [time.low, time.high, time.mean, time.min, time.max];
    assert_eq!((time.n, time.median, all), (8, 0.01242, [0.01231, 0.013, 0.0124975, 0.01231, 0.013].map(Some)));
    assert!((time.stddev.unwrap() - 0.000_222_502_006_411).abs() < 1e-14, "{time:?}");
    assert_eq!((memory.median, memory.low, memory.min, memory.max), (1_052_672.0, None, Some(1_048_576.0), Some(1_060_864.0)));
    // What a line does say counts, and where it says anything, nothing is added.
    assert_eq!((thinned.n, thinned.low, thinned.min), (300, Some(51_100_000_000_000.0), Some(50_000_000_000_000.0)));
    assert_eq!((partial.median, partial.min, partial.max, partial.mean), (0.00125, Some(0.001), None, None));
    let written = |record: &Record| Entry::Record(record.clone()).encode();
    let lines: Vec<String> = note.records.iter().map(written).collect();
    assert_eq!(lines, std::str::from_utf8(WHOLE_SAMPLES).unwrap().lines().take(4).collect::<Vec<_>>());
}
