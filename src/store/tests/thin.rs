//! Which samples go: those of old runs, but not those that hold a level. Everything else of a note stays as it is.

use std::collections::HashSet;

use chrono::DateTime;

use super::*;
use crate::store::{StoreError, ThinRequest, ThinnedNotes};

/// A run with a record of forty values, measured at this time.
fn entries(commit: ObjectId, tree: ObjectId, seed: u64, seconds: i64) -> Vec<Entry> {
    let values: Vec<f64> = (0..40).map(|place| seed as f64 + f64::from(place * place) / 1024.0).collect();
    let mut entries = run_of(commit, tree, seed);
    for entry in &mut entries {
        match entry {
            Entry::Run(run) => run.time = DateTime::from_timestamp(seconds, 0).unwrap(),
            Entry::Record(record) => {
                record.sample = Some(Sample::new(&values).unwrap());
                record.summary = crate::stats::summarize_measured(&values).unwrap();
            }
            _ => {}
        }
    }
    entries
}

/// Commits at these times, each with a run of its own.
fn measured(times: &[i64]) -> (World, Vec<ObjectId>) {
    let world = World::new();
    let commits = times.iter().zip(1..).map(|(seconds, seed)| {
        let commit = world.commit(&seed.to_string());
        let store = world.store();
        let tree = store.commit(commit).unwrap().tree;
        store.append(&[(commit, entries(commit, tree, seed, *seconds))], "Measure").unwrap();
        commit
    });
    let commits = commits.collect();
    (world, commits)
}

fn has_sample(world: &World, commit: ObjectId) -> bool {
    world.shown(commit).contains("\"sample\"")
}

#[test]
fn samples_of_old_runs_go_in_one_commit_but_not_those_that_are_held() {
    let (world, commits) = measured(&[100, 200, 300, 400]);
    let held = HashSet::from([record(2)]);
    let request = ThinRequest { before: DateTime::from_timestamp(400, 0).unwrap(), held: &held };
    let (store, before) = (world.store(), world.id("refs/notes/ratchet"));
    let found = store.thinnable(&request).unwrap();
    assert_eq!((found.notes, found.records, found.held), (2, 2, 1));
    assert_eq!(world.id("refs/notes/ratchet"), before, "counting writes nothing");
    let sizes = || commits.iter().map(|commit| world.shown(*commit).len()).sum::<usize>();
    let size = sizes();
    assert_eq!(store.thin(&request).unwrap(), found);
    assert_eq!(size - sizes(), found.bytes);
    assert_eq!(commits.iter().map(|commit| has_sample(&world, *commit)).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet^"]), before.to_string());
    let again = store.thin(&request).unwrap();
    assert_eq!(again, ThinnedNotes { held: 1, ..ThinnedNotes::default() });
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet^"]), before.to_string(), "nothing to do, no commit");
    world.fsck();
}

#[test]
fn every_line_of_ours_or_others_stays_but_for_the_samples() {
    let (world, commits) = measured(&[100]);
    world.git(&["notes", "--ref=ratchet", "append", "-m", "of a later version", &commits[0].to_string()]);
    let nothing_held = HashSet::new();
    let request = ThinRequest { before: DateTime::from_timestamp(101, 0).unwrap(), held: &nothing_held };
    let note = |world: &World| Note::decode(world.shown(commits[0]).as_bytes());
    let before = note(&world);
    world.store().thin(&request).unwrap();
    let after = note(&world);
    assert!(world.shown(commits[0]).contains("of a later version"));
    assert_eq!((&after.runs, &after.unreadable), (&before.runs, &before.unreadable));
    assert_eq!(after.records, before.records.iter().map(|record| Record { sample: None, ..record.clone() }).collect::<Vec<_>>());
    let shallow = world.clone_as("shallow", &["--depth", "1"]);
    assert!(matches!(shallow.store().thin(&request), Err(StoreError::ShallowPrune)));
}
