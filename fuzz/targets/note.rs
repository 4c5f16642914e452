//! A note from anywhere: both readers take it without a fault and say the same, and what they could read is written back to
//! a line that says it again.

#![no_main]

use git_ratchet::codec::{Entry, Note, Skimmer};
use git_ratchet::model::Metric;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|note: &[u8]| {
    let whole = Note::decode(note);
    let mut skimmer = Skimmer::default();
    let skimmed = skimmer.skim(note);
    assert_eq!(skimmed.unreadable, whole.unreadable.len());
    assert_eq!(skimmed.runs, whole.runs);
    assert_eq!(skimmed.excuses, whole.excuses);
    assert_eq!(skimmed.profiled, whole.profiles.iter().map(|profile| profile.run).collect::<Vec<_>>());
    assert_eq!(skimmed.records.len(), whole.records.len());
    for (skimmed, whole) in skimmed.records.iter().zip(&whole.records) {
        assert_eq!((skimmed.id, skimmed.run, &skimmed.summary), (whole.id, whole.run, &whole.summary));
        let point = &skimmer.points()[skimmed.point];
        // What a metric follows from is asked of the candidate alone, which is read whole.
        let metric = Metric { follows: None, ..whole.metric.clone() };
        assert_eq!((&point.benchmark, &point.config, &point.metric), (&whole.benchmark, &whole.config, &metric));
    }
    let entries = whole.runs.into_iter().map(Entry::Run);
    let entries = entries.chain(whole.records.into_iter().map(Entry::Record));
    let entries = entries.chain(whole.profiles.into_iter().map(Entry::Profile));
    for entry in entries.chain(whole.excuses.into_iter().map(Entry::Excuse)) {
        let line = entry.encode();
        assert!(!line.contains('\n'));
        let again = Note::decode(line.as_bytes());
        assert_eq!(again.unreadable, [], "{line}");
        // Numbers are rounded when they are written, once.
        let only = [
            again.runs.first().cloned().map(Entry::Run),
            again.records.first().cloned().map(Entry::Record),
            again.profiles.first().cloned().map(Entry::Profile),
            again.excuses.first().cloned().map(Entry::Excuse),
        ];
        let written: Vec<String> = only.iter().flatten().map(Entry::encode).collect();
        assert_eq!(written, [line]);
    }
});
