//! What is written is read back; what cannot be read is counted, and never fatal.

use proptest::prelude::*;

use super::*;

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
fn a_line_that_cannot_be_read_says_why() {
    let line = Entry::Record(record(&[0.012, 0.013])).encode();
    for (from, to, why) in [
        ("\"unit\":\"s\"", "\"unit\":\"furlong\"", "furlong"),
        ("\"benchmark\":\"attention\"", "\"benchmark\":\"\"", "empty"),
        ("\"median\":0.0123", "\"median\":-1", "-1"),
    ] {
        let note = decoded(line.replacen(from, to, 1).as_bytes());
        let [Unreadable::Malformed(said)] = &note.unreadable[..] else { panic!("{:?}", note.unreadable) };
        assert!(said.contains(why), "{said}");
    }
}

/// What a line says counts, and of a part of the measurements nothing follows.
#[test]
fn statistics_follow_from_a_whole_sample_of_several_values_only() {
    let of = |n: u64, deltas: &str| {
        let line = format!(
            r#"{{"v":1,"type":"record","id":"01HF7YAT000000000000000002","run":"01HF7YAT000000000000000001","benchmark":"b","metric":"time","unit":"s","better":"lower","n":{n},"median":0.0124,"sample":{{"exp":-4,"deltas":{deltas}}}}}"#
        );
        decoded(line.as_bytes()).records.remove(0).summary
    };
    let whole = of(3, "[120,3,7]");
    assert_eq!((whole.median, whole.min, whole.max), (0.0124, Some(0.012), Some(0.013)));
    assert_eq!(of(300, "[120,3,7]"), Summary { n: 300, ..Summary::single(0.0124) });
    assert_eq!(of(1, "[124]"), Summary::single(0.0124));
}

#[test]
fn an_id_used_twice_counts_once() {
    let first = Entry::Record(record(&[0.012, 0.013])).encode();
    let second = first.replace("0.0123", "0.0124");
    let note = decoded(format!("{second}\n{first}\n{first}\n").as_bytes());
    assert_eq!((note.records.len(), note.unreadable.len()), (1, 1));
    assert_eq!(note.records[0].summary.median, 0.0123);
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

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let note = decoded(&bytes);
        prop_assert!(note.records.is_empty());
    }
}
