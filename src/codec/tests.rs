//! The note format: what is written is read back, what cannot be read is kept, and two notes become one as git does it.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::model::*;

fn id(n: u64) -> LineId {
    LineId::from_parts(1_700_000_000_000, u128::from(n))
}

fn time() -> DateTime<Utc> {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn object(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).unwrap()
}

fn run() -> Run {
    Run {
        id: id(1),
        time: time(),
        author: Author { name: "Ann \"Q\" Ō".into(), email: "ann@example.org".into() },
        tool: "git-ratchet 0.1.0".into(),
        commit: object(1),
        tree: object(2),
        dirty: true,
        session: Some(id(9)),
        testbed: Testbed::new("CPU · 2 cores", [("kernel".to_owned(), "6.1".to_owned())].into()).unwrap(),
    }
}

fn record(values: &[f64]) -> Record {
    let measured = Measurement {
        benchmark: BenchmarkName::new("attention").unwrap(),
        config: "B=32 H=8".parse().unwrap(),
        metric: Metric::time().following(&MetricName::new("cycles").unwrap()),
        summary: Summary { n: values.len() as u64, low: Some(0.01), mean: Some(0.0123), ..Summary::single(0.0123) },
        values: values.to_vec(),
        warnings: vec![SampleWarning::SlowFirst, SampleWarning::Drift { percent: 1.5 }],
        barred: None,
        machine_code: Some("0f3a".to_owned()),
    };
    Record::new(id(2), id(1), measured)
}

/// As it comes out of a run: the statistics are those of the sample.
fn measured(values: &[f64]) -> Record {
    let summary = crate::stats::summarize_measured(values).unwrap();
    Record { summary, ..record(values) }
}

fn profile() -> Profile {
    let counter = |value, unit: &str| Counter { value, unit: Unit::from_symbol(unit).unwrap() };
    let metrics = [
        ("gpu__time_duration.sum", counter(0.000335, "s")),
        ("launch__registers_per_thread", counter(128.0, "1")),
        ("sm__warps_active.avg.pct_of_peak_sustained_active", counter(24.75, "%")),
    ];
    Profile {
        id: id(4),
        run: id(1),
        benchmark: BenchmarkName::new("attention").unwrap(),
        config: "B=32 H=8".parse().unwrap(),
        counted: KernelProfile {
            kernel: "void flash<64, 128>(float const*, \"x\")".into(),
            launches: 1,
            metrics: metrics.map(|(name, counter)| (name.to_owned(), counter)).into(),
        },
        report: Some(ReportFile { path: ".git/ratchet/profiles/a/b.ncu-rep".into(), blob: object(7), bytes: 123_456 }),
    }
}

fn excuse() -> Excuse {
    Excuse {
        id: id(3),
        time: time(),
        author: Author { name: "Ann".into(), email: String::new() },
        tree: object(2),
        scope: ExcuseScope { benchmark: Some(BenchmarkName::new("attention").unwrap()), ..ExcuseScope::default() },
        reason: "the fix for\nthe race | costs this".into(),
        until: Some(0.02),
        expires: Some(time()),
    }
}

fn decoded(lines: &[u8]) -> Note {
    Note::decode(lines)
}

#[test]
fn every_kind_of_line_is_read_back_as_it_was_written() {
    let entries =
        [Entry::Run(run()), Entry::Record(record(&[0.012, 0.0125, 0.013])), Entry::Excuse(excuse()), Entry::Profile(profile())];
    let text: String = entries.iter().map(|entry| entry.encode() + "\n").collect();
    let note = decoded(text.as_bytes());
    assert_eq!(note.unreadable, []);
    assert_eq!(
        (&note.runs[..], &note.records[..], &note.excuses[..]),
        (&[run()][..], &[record(&[0.012, 0.0125, 0.013])][..], &[excuse()][..])
    );
    assert_eq!(note.profiles, [profile()]);
}

/// Found by fuzzing: rounded to twelve digits the median is whole, and a whole number is written without a point.
#[test]
fn a_number_is_rounded_once() {
    let mut record = record(&[1.0]);
    (record.summary.median, record.sample) = (5_128_300_000_000.3, None);
    let line = Entry::Record(record).encode();
    assert!(line.contains("\"median\":5128300000000,"), "{line}");
    let again = decoded(line.as_bytes()).records.remove(0);
    assert_eq!(Entry::Record(again).encode(), line);
}

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
fn impossible_profiles_are_unreadable_not_fatal() {
    let line = Entry::Profile(profile()).encode();
    for (from, to) in [
        ("\"value\":24.75", "\"value\":1e999"),
        ("\"unit\":\"%\"", "\"unit\":\"furlong\""),
        ("void flash", "\\u001b[2J"),
        ("\"launches\":1", "\"launches\":-1"),
        ("0707", "07"),
        ("launch__registers_per_thread", ""),
    ] {
        let bad = line.replacen(from, to, 1);
        assert_ne!(bad, line, "{from} is not in {line}");
        let note = decoded(bad.as_bytes());
        assert_eq!((note.profiles.len(), note.unreadable.len()), (0, 1), "{to}");
    }
}

#[test]
fn notes_of_version_1_are_read_forever() {
    let note = decoded(include_bytes!("../../tests/data/notes/v1.jsonl"));
    assert_eq!((note.runs.len(), note.records.len(), note.excuses.len(), note.unreadable.len()), (1, 4, 1, 0));
    assert_eq!(note.profiles.len(), 1);
    assert_eq!(note.records[0].summary.median, 0.0123);
    assert_eq!(note.run_of(&note.records[0]).unwrap().testbed.key(), "CPU · 2 cores");
}

#[test]
fn what_a_metric_follows_is_read_forever() {
    let line = include_str!("../../tests/data/notes/v1-follows.jsonl");
    let note = decoded(line.as_bytes());
    assert_eq!((note.records.len(), note.unreadable.len()), (1, 0));
    assert_eq!(note.records[0].metric.follows.as_ref().map(MetricName::as_str), Some("time"));
    assert_eq!(Entry::Record(note.records[0].clone()).encode() + "\n", line);
}

const WHOLE_SAMPLES: &[u8] = include_bytes!("../../tests/data/notes/v1-whole-samples.jsonl");

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

#[test]
fn a_fresh_record_says_nothing_twice() {
    let line = Entry::Record(measured(&[0.0131, 0.012, 0.0125])).encode();
    assert!(line.contains(r#""n":3,"median":0.0125,"sample":{"exp":-4,"deltas":[120,5,6]},"#), "{line}");
    let line = Entry::Record(measured(&[0.0131])).encode();
    assert!(line.contains(r#""n":1,"median":0.0131,"warnings""#), "{line}");
    let long: Vec<f64> = (0..300).map(|i| 0.01 + f64::from(i) * 1e-5).collect();
    assert!(Entry::Record(measured(&long)).encode().contains(r#""min":0.01,"max":0.01299,"sample""#));
}

/// The smallest of such values would be zero, or a few ticks.
#[test]
fn values_of_all_magnitudes_are_summed_up_before_they_are_rounded() {
    for values in [[1e-9, 2e-9, 3e-9, 1000.0], [3e-7, 4e-7, 5e-7, 2.0], [1e-14, 2e-14, 3e-14, 1e3]] {
        let record = measured(&values);
        assert!((record.summary.median / values[1..3].iter().sum::<f64>() * 2.0 - 1.0).abs() < 1e-4, "{record:?}");
        let note = decoded(Entry::Record(record.clone()).encode().as_bytes());
        assert_eq!((note.records, note.unreadable), (vec![record], vec![]));
    }
}

#[test]
fn unreadable_lines_are_counted_by_reason_and_kept_by_a_union() {
    let good = Entry::Run(run()).encode();
    let long = format!("{{\"v\":1,\"pad\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES));
    let lines =
        ["not json", r#"{"v":2,"type":"run"}"#, r#"{"v":1,"type":"hologram"}"#, r#"{"v":1,"type":"record"}"#, &long, &good];
    let text = lines.join("\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe half a line");
    let note = decoded(&bytes);
    assert_eq!(note.runs.len(), 1);
    assert_eq!(note.unreadable.iter().filter(|reason| **reason == Unreadable::Newer).count(), 2);
    assert_eq!(note.unreadable.iter().filter(|reason| **reason == Unreadable::TooLong).count(), 1);
    assert_eq!(note.unreadable.len(), 6);
    let merged = union([bytes.as_slice(), b"one more\n"]);
    for line in bytes.split(|byte| *byte == b'\n') {
        assert!(merged.split(|byte| *byte == b'\n').any(|kept| kept == line));
    }
}

#[test]
fn impossible_records_are_unreadable_not_fatal() {
    let line = Entry::Record(record(&[0.012, 0.013])).encode();
    for (from, to) in [
        ("\"median\":0.0123", "\"median\":-1"),
        ("\"median\":0.0123", "\"median\":0"),
        ("\"median\":0.0123", "\"median\":\"x\""),
        ("\"median\":0.0123", "\"median\":1e999"),
        ("\"unit\":\"s\"", "\"unit\":\"ms\""),
        ("\"better\":\"lower\"", "\"better\":\"sideways\""),
        ("\"benchmark\":\"attention\"", "\"benchmark\":\"\\u001b[2J\""),
        ("\"deltas\":[12,1]", "\"deltas\":[12,-1]"),
        ("\"deltas\":[12,1]", "\"deltas\":[]"),
        ("\"deltas\":[12,1]", "\"deltas\":[9223372036854775807,9]"),
        ("\"exp\":-3", "\"exp\":400000"),
        ("\"n\":2", "\"n\":-2"),
        ("01HF7YAT000000000000000002", "1"),
    ] {
        let bad = line.replace(from, to);
        assert_ne!(bad, line, "{from} is not in {line}");
        let note = decoded(bad.as_bytes());
        assert_eq!((note.records.len(), note.unreadable.len()), (0, 1), "{to}");
    }
}

#[test]
fn an_id_used_twice_counts_once() {
    let first = Entry::Record(record(&[0.012, 0.013])).encode();
    let second = first.replace("0.0123", "0.0124");
    let note = decoded(format!("{second}\n{first}\n{first}\n").as_bytes());
    assert_eq!((note.records.len(), note.unreadable.len()), (1, 1));
    assert_eq!(note.records[0].summary.median, 0.0123);
}

/// Everything goes.
fn thinned(note: &[u8]) -> Vec<u8> {
    thin(note, |_, _| Fate::Goes).note
}

#[test]
fn a_thinned_record_says_the_same_without_its_sample() {
    let fat = [Entry::Run(run()), Entry::Record(record(&[0.012, 0.0125, 0.013])), Entry::Profile(profile())];
    let text: String = fat.iter().map(|entry| entry.encode() + "\n").collect();
    let text = format!("{text}no line of ours\n");
    let Thinned { note, records, held } = thin(text.as_bytes(), |_, run| if run.dirty { Fate::Goes } else { Fate::Stays });
    assert_eq!((records, held), (1, 0));
    let expected = Record { sample: None, ..record(&[0.012, 0.0125, 0.013]) };
    assert_eq!(decoded(&note), Note { records: vec![expected], ..decoded(text.as_bytes()) });
    assert_eq!(thinned(&note), note, "once is enough");
    let kept = thin(text.as_bytes(), |_, _| Fate::Held);
    assert_eq!((kept.note, kept.records, kept.held), (union([text.as_bytes()]), 0, 1));
}

#[test]
fn a_thinned_record_says_what_followed_from_its_sample() {
    let fat = measured(&[0.012, 0.0121, 0.0122, 0.0124, 0.0125, 0.0131, 0.014]);
    let note = thinned(format!("{}\n{}", Entry::Run(run()).encode(), Entry::Record(fat.clone()).encode()).as_bytes());
    let text = std::str::from_utf8(&note).unwrap();
    assert!(text.contains(r#""n":7,"median":0.0124,"low":0.012,"high":0.014,"mean":0.0126142857143,"stddev":"#), "{text}");
    assert!(text.contains(r#","min":0.012,"max":0.014,"warnings":"#), "{text}");
    assert_eq!(decoded(&note).records, [Record { sample: None, ..fat }]);
    assert_eq!(thinned(&note), note);
}

#[test]
fn a_record_with_and_without_its_sample_is_one_record_with_it() {
    let (run, values) = (Entry::Run(run()).encode(), [0.012, 0.0123, 0.013]);
    // What follows the sample decides which line sorts first, and who says the statistics.
    let mut cases = Vec::new();
    for (warnings, barred) in [(vec![], None), (vec![SampleWarning::SlowFirst], None), (vec![], Some("wrong".to_owned()))] {
        for record in [record(&values), measured(&values)] {
            cases.push(Record { warnings: warnings.clone(), barred: barred.clone(), machine_code: None, ..record });
        }
    }
    for fat in cases {
        let fat_line = Entry::Record(fat.clone()).encode();
        let thin_note = thinned(format!("{run}\n{fat_line}").as_bytes());
        let both = union([thin_note.as_slice(), fat_line.as_bytes()]);
        assert_eq!(both.split(|byte| *byte == b'\n').count(), 4, "a union keeps both lines");
        let note = decoded(&both);
        assert_eq!((note.records, note.unreadable), (vec![fat], vec![]));
        let skimmed = Skimmer::default().skim(&both);
        assert_eq!((skimmed.records.len(), skimmed.unreadable), (1, 0));
        assert_eq!(thinned(&both), thin_note, "thinned again, they are one line");
        // Only the sample may differ.
        let other = String::from_utf8(both).unwrap().replacen("0.0123", "0.0124", 1);
        assert_eq!(decoded(other.as_bytes()).unreadable.len(), 1, "{other}");
        assert_eq!(Skimmer::default().skim(other.as_bytes()).unreadable, 1);
    }
}

#[test]
fn a_thousand_records_with_full_samples_stay_under_a_megabyte() {
    let mut bytes = 0;
    for n in 0..1000_u32 {
        let noise = |i: u32| f64::from((i.wrapping_mul(2_654_435_761) ^ n.wrapping_mul(40_503)) % 10_007) / 10_007.0;
        let values: Vec<f64> = (0..300).map(|i| 0.012_345_678_9 * (1.0 + 0.05 * noise(i) + 0.02 * noise(i + 999))).collect();
        let mut full = record(&values);
        full.summary = Summary {
            high: Some(0.012_345_678_901),
            stddev: Some(1.234_567_890_12e-4),
            min: Some(values[0]),
            max: Some(values[1]),
            ..full.summary
        };
        bytes += Entry::Record(full).encode().len() + 1;
    }
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

fn arbitrary_note() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[a-c]{0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        (0_u64..9).prop_map(|n| Entry::Run(Run { id: id(n), ..run() }).encode().into_bytes()),
    ];
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #[test]
    fn decode_after_encode_is_identity(values in prop::collection::vec(1e-9_f64..1e9, 1..300), median in 1e-9_f64..1e9) {
        let median: f64 = format!("{median:.11e}").parse().unwrap();
        let mut given = record(&values);
        given.summary.median = median;
        prop_assume!(values.len() > 1);
        let note = decoded(Entry::Record(given.clone()).encode().as_bytes());
        prop_assert_eq!(&note.records[..], &[given][..]);
    }

    /// To the last bit, whatever was measured; thinned it says the same, both are one record, and skimming agrees.
    #[test]
    fn a_record_is_read_back_as_it_was_made(
        values in prop::collection::vec(prop_oneof![1e-9_f64..1e9, 0.01_f64..0.011, (1_u64..1 << 53).prop_map(|n| n as f64)], 1..120),
        keep in 1_usize..120,
    ) {
        let fat = measured(&values[..keep.min(values.len())]);
        let run = Entry::Run(run()).encode();
        let note = union([format!("{run}\n{}", Entry::Record(fat.clone()).encode()).as_bytes()]);
        let thin_note = thinned(&note);
        let both = union([note.as_slice(), thin_note.as_slice()]);
        let is_thinnable = fat.summary.n > 1;
        let expected = Record { sample: fat.sample.clone().filter(|_| !is_thinnable), ..fat.clone() };
        prop_assert_eq!(&decoded(&thin_note).records, &[expected][..]);
        prop_assert_eq!(thinned(&both), thin_note.clone());
        for (note, expected) in [(note, &fat), (both, &fat)] {
            let whole = decoded(&note);
            prop_assert_eq!((&whole.records[..], whole.unreadable.len()), (&[expected.clone()][..], 0));
            let skimmed = Skimmer::default().skim(&note);
            prop_assert_eq!((skimmed.records.len(), skimmed.unreadable), (1, 0));
            prop_assert_eq!(&skimmed.records[0].summary, &expected.summary);
        }
    }

    #[test]
    fn a_difference_is_what_a_union_adds(a in arbitrary_note(), b in arbitrary_note()) {
        let only_a = difference(&a, &b);
        prop_assert_eq!(union([only_a.as_slice(), b.as_slice()]), union([a.as_slice(), b.as_slice()]));
        prop_assert_eq!(difference(&only_a, &b), only_a);
        prop_assert_eq!(difference(&b, &b), Vec::<u8>::new());
    }

    #[test]
    fn union_is_commutative_associative_idempotent_and_loses_no_line(a in arbitrary_note(), b in arbitrary_note(), c in arbitrary_note()) {
        let both = |x: &[u8], y: &[u8]| union([x, y]);
        prop_assert_eq!(both(&a, &b), both(&b, &a));
        prop_assert_eq!(both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
        prop_assert_eq!(both(&a, &a), union([a.as_slice()]));
        let merged = both(&a, &b);
        for line in a.split(|byte| *byte == b'\n').chain(b.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()) {
            prop_assert!(merged.split(|byte| *byte == b'\n').any(|kept| kept == line));
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let note = decoded(&bytes);
        prop_assert!(note.records.is_empty());
    }
}
