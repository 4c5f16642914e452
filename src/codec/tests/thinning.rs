//! A record without its sample says what it said with it, and both are one record.

use proptest::prelude::*;

use super::*;

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
    assert_eq!(thin(text.as_bytes(), |_, _| Fate::Stays), Thinned { note: union([text.as_bytes()]), records: 0, held: 0 });
    let kept = thin(text.as_bytes(), |_, _| Fate::Held);
    assert_eq!((kept.note, kept.records, kept.held), (union([text.as_bytes()]), 0, 1));
}

#[test]
fn a_thinned_record_says_what_followed_from_its_sample() {
    let values: Vec<f64> = (0..40).map(|place| 0.012 + f64::from(place * place) * 1e-6).collect();
    let fat = measured(&values);
    let note = thinned(format!("{}\n{}", Entry::Run(run()).encode(), Entry::Record(fat.clone()).encode()).as_bytes());
    let text = std::str::from_utf8(&note).unwrap();
    assert!(
        text.contains(r#""n":40,"median":0.0123805,"low":0.0121"#) && text.contains(r#","mean":0.0125135,"stddev":"#),
        "{text}"
    );
    assert!(text.contains(r#","min":0.012,"max":0.013521,"warnings":"#), "{text}");
    assert_eq!(decoded(&note).records, [Record { sample: None, ..fat }]);
    assert_eq!(thinned(&note), note);
}

#[test]
fn a_record_with_and_without_its_sample_is_one_record_with_it() {
    let around = |least: f64| (0..20).map(move |place| least + f64::from(place) * 1e-5);
    let values: Vec<f64> = around(0.012).chain([0.0123]).chain(around(0.013)).collect();
    let run = Entry::Run(run()).encode();
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

/// Two samples with the same statistics, since 1 + 5 + 6 is 2 + 3 + 7, and so for their squares: the thinned line may have come from
/// either, and they are two.
#[test]
fn of_two_records_that_come_to_the_same_without_their_samples_one_counts() {
    let lines = [[1, 5, 6], [2, 3, 7]].map(|upper| {
        let values = (0..30).chain(upper.map(|value| 100 + value)).chain([200; 7]);
        Entry::Record(measured(&values.map(|value| 0.01 + f64::from(value) * 1e-5).collect::<Vec<_>>())).encode()
    });
    let run = Entry::Run(run()).encode();
    let note = |lines: &[&str]| union([lines.join("\n").as_bytes()]);
    let [one, other] = [&lines[0], &lines[1]].map(|line| thinned(&note(&[&run, line])));
    assert!(lines[0] != lines[1] && one == other, "{lines:?}");
    let all = note(&[std::str::from_utf8(&one).unwrap(), &lines[0], &lines[1]]);
    let decoded = decoded(&all);
    assert_eq!((decoded.records.len(), decoded.unreadable.len()), (1, 1));
    let skimmed = Skimmer::default().skim(&all);
    assert_eq!((skimmed.records.len(), skimmed.unreadable), (1, 1));
}

proptest! {
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
        let is_thinnable = thin(&note, |_, _| Fate::Goes).records == 1;
        prop_assert_eq!(thin_note.len() < note.len(), is_thinnable, "never longer, and the same where it is not shorter");
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
}
