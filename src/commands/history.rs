//! From notes along a history to series: what `check` and `log` judge and draw.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::CommandError;
use super::selection::Selection;
use crate::cli::HistoryArg;
use crate::judge::{Excluded, ExcusePlace, HistoryRecord, MeasuredRun, PlacedExcuse, Series};
use crate::model::{Excuse, LineId, ObjectId, Run, SeriesKey};
use crate::report::Notice;
use crate::settings::HistoryMode;
use crate::store::{
    AnnotatedCommit, AnnotatedHistory, History, HistoryCommit, SeriesCounts, SeriesHistory, SeriesRun, Store, StoreWarning, Walk,
};

/// The notes that count for a single commit: its own, and those of commits with the same tree.
pub fn of_commit(store: &Store, commit: ObjectId) -> Result<AnnotatedHistory, CommandError> {
    let info = store.commit(commit)?;
    let only = HistoryCommit { id: commit, tree: info.tree, time: info.time.timestamp() };
    let history = History { commits: vec![only], truncated: false };
    Ok(store.annotated_history(&history, &store.notes()?)?)
}

/// The same for two commits that are compared; what was noticed is about both. All notes are read for it, so they are read
/// once.
pub fn of_both(store: &Store, commits: [ObjectId; 2]) -> Result<[AnnotatedHistory; 2], CommandError> {
    let both = commits.iter().map(|id| store.history_commit(*id)).collect::<Result<_, _>>()?;
    let both = History { commits: both, truncated: false };
    let annotated = store.annotated_history(&both, &store.notes()?)?;
    Ok(commits.map(|id| only(&annotated, id)))
}

/// What a history has of one commit, with all that was noticed.
pub fn only(annotated: &AnnotatedHistory, id: ObjectId) -> AnnotatedHistory {
    let own = annotated.commits.iter().filter(|commit| commit.commit == id).take(1);
    AnnotatedHistory { commits: own.cloned().collect(), warnings: annotated.warnings.clone(), ..AnnotatedHistory::default() }
}

/// Every excuse at its place of a line of commits, newest first; those of merged branches stand where the merge is.
pub fn placed_excuses(store: &Store, annotated: &AnnotatedHistory, line: &[ObjectId]) -> Result<Vec<PlacedExcuse>, CommandError> {
    let at =
        |(position, excuse): (usize, &Excuse)| PlacedExcuse { excuse: excuse.clone(), place: ExcusePlace::History(position) };
    let mut placed: Vec<PlacedExcuse> = annotated.excuses().map(at).collect();
    for (commit, excuse) in &annotated.elsewhere {
        if let Some(position) = store.merged_at(line, *commit)? {
            placed.push(PlacedExcuse { excuse: excuse.clone(), place: ExcusePlace::History(position) });
        }
    }
    // Commits with the same tree share an excuse; it is told once, at the newest.
    let mut told = HashSet::new();
    placed.retain(|excuse| told.insert(excuse.excuse.id));
    Ok(placed)
}

/// The selected series of a history that is kept sorted, each with all its runs. `None` where the file turns out to be
/// damaged: then the notes have to be read.
pub fn kept_series(kept: &SeriesHistory, selection: &Selection) -> Option<Vec<Series>> {
    let selected = kept.series()?.into_iter().filter(|(key, _)| selection.covers(key));
    let series = selected.map(|(key, metric)| {
        let excluded = excluded(kept.counts(&key, &metric.unit));
        let mut runs = Vec::new();
        kept.runs(&key, &metric.unit, usize::MAX, |run| measured(kept, run), &mut runs)?;
        Some(Series { runs, excluded, ..Series::empty(key, metric) })
    });
    series.collect()
}

/// A kept run as the judge takes it; positions count from the newest commit.
pub fn measured(kept: &SeriesHistory, run: SeriesRun) -> MeasuredRun {
    MeasuredRun {
        commit: run.commit,
        position: kept.len() - 1 - run.age,
        run: run.run,
        time: run.time,
        summary: run.summary,
        machine_code: run.machine_code,
    }
}

/// What of a kept series does not bind.
pub fn excluded(counts: SeriesCounts) -> Excluded {
    let (dirty, barred, other_unit) = (counts.dirty, counts.barred, counts.other_unit);
    Excluded { dirty, barred, other_unit, ..Excluded::default() }
}

/// The selected records of these commits, each with the commit it counts for. A record whose run is missing belongs to
/// no testbed and is left out.
pub fn records<'a>(commits: &'a [AnnotatedCommit], selection: &Selection) -> Vec<HistoryRecord<'a>> {
    let mut found = Vec::new();
    for annotated in commits {
        let runs: HashMap<LineId, &Run> = annotated.note.runs.iter().map(|run| (run.id, run)).collect();
        for record in &annotated.note.records {
            let Some(run) = runs.get(&record.run) else { continue };
            if selection.covers(&SeriesKey::of(record, run)) {
                found.push(HistoryRecord { commit: annotated.commit, position: annotated.position, run, record });
            }
        }
    }
    found
}

/// Of records that stand for a commit, takes away those that nobody vouches for, where the series has others; as a candidate
/// is judged. What is left without any other are the series that come back.
pub fn set_untrusted_aside(records: &mut Vec<HistoryRecord<'_>>) -> BTreeSet<SeriesKey> {
    let is_untrusted = |found: &HistoryRecord<'_>| found.record.is_untrusted();
    let key = |found: &HistoryRecord<'_>| SeriesKey::of(found.record, found.run);
    let vouched: BTreeSet<SeriesKey> = records.iter().filter(|found| !is_untrusted(found)).map(key).collect();
    records.retain(|found| !is_untrusted(found) || !vouched.contains(&key(found)));
    records.iter().filter(|found| is_untrusted(found)).map(key).collect()
}

/// Which commits make a history: flag over settings.
pub fn walk(flag: Option<HistoryArg>, settings: HistoryMode) -> Walk {
    match (flag, settings) {
        (Some(HistoryArg::All), _) | (None, HistoryMode::All) => Walk::All,
        _ => Walk::FirstParent,
    }
}

/// What the store has to say about the notes and the history.
pub fn store_notices(annotated: &AnnotatedHistory, store: &Store) -> Result<Vec<Notice>, CommandError> {
    let mut notices: Vec<Notice> = annotated.warnings.iter().map(worded).collect();
    notices.extend(missing_notes(store)?);
    notices.extend(unmerged_notes(store)?);
    Ok(notices)
}

/// Fetched notes that were not merged yet are told: plain `git fetch` brings them to the tracking ref only.
pub fn unmerged_notes(store: &Store) -> Result<Option<Notice>, CommandError> {
    let Some(remote) = store.remote()? else { return Ok(None) };
    let tracking = store.tracking_ref(&remote);
    if store.has_notes()? && store.is_unmerged(&tracking)? {
        let notice = Notice::new(
            "unmerged_notes",
            format!("{tracking} has notes that {} lacks: they do not count yet", store.notes_ref()),
        );
        return Ok(Some(notice.hint("run: git ratchet fetch")));
    }
    Ok(None)
}

/// Notes that were never fetched are told, with the command that fetches them.
pub fn missing_notes(store: &Store) -> Result<Option<Notice>, CommandError> {
    if store.has_notes()? {
        return Ok(None);
    }
    let notes_ref = store.notes_ref();
    let notice = Notice::new(
        "no_notes",
        format!("there is no {notes_ref} here: nothing was ever recorded, or the notes were not fetched"),
    );
    Ok(Some(match store.remote()? {
        Some(_) => notice.hint("run: git ratchet fetch"),
        None => notice.hint("git ratchet bench or git ratchet record makes the first results"),
    }))
}

fn worded(warning: &StoreWarning) -> Notice {
    let notice = Notice::new(warning.code(), warning.to_string());
    match warning {
        StoreWarning::Untrusted { .. } => {
            notice.hint("git ratchet doctor says who may sign; git config ratchet.trust asks for it")
        }
        _ => notice,
    }
}

/// A truncated history must not become a smaller baseline without a word.
pub fn shallow_notice() -> Notice {
    Notice::new("shallow_clone", "this is a shallow clone: older commits, and the levels they held, are missing")
        .hint("git fetch --unshallow")
}
