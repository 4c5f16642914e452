//! What a check looks at: the candidate's own commits, the history it is held against, and the notes of both.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::CommandError;
use super::history::{self, shallow_notice, store_notices};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::HistoryArg;
use crate::judge::{self, Candidate, Digest, ExcusePlace, HistoryRecord, MeasuredRun, PlacedExcuse, Series};
use crate::model::{ObjectId, SeriesKey};
use crate::report::Notice;
use crate::store::{AnnotatedHistory, Base, BaseRequest, History, HistoryCommit, SeriesHistory, Store, StoreError, Trust, Walk};

/// What to look for.
pub struct EvidenceRequest<'a> {
    /// The commit to check.
    pub rev: &'a str,
    /// `--against`.
    pub against: Option<String>,
    /// `--history`.
    pub history: Option<HistoryArg>,
    /// `--baseline REV`: the runs of this commit take the place of the history.
    pub revision: Option<ObjectId>,
    /// Whether what was kept of earlier checks may answer.
    pub kept: bool,
}

/// What the notes say of the candidate's own commits and of its history.
pub struct Evidence {
    /// The commit that is checked.
    pub candidate: ObjectId,
    /// The base, where there is one.
    pub base: Option<Base>,
    /// The candidate, and what lies between it and the base, newest first.
    own: Vec<HistoryCommit>,
    history: Past,
    /// Excuses of branches that were merged, where the merge stands.
    merged_excuses: Vec<PlacedExcuse>,
    /// The commit whose runs take the place of the history, and its notes.
    revision: Option<(ObjectId, AnnotatedHistory)>,
}

/// The history that the candidate is held against, either way with the notes of the candidate's own commits: positions
/// count from the candidate.
enum Past {
    /// Sorted into series before; their runs are read when a series is judged.
    Series { newest: ObjectId, series: Box<SeriesHistory> },
    /// Commits and their notes, read just now.
    Notes { newest: Option<ObjectId>, read: ReadNotes },
}

/// Commits and what their notes say, for whoever shows the same history that was judged: reading notes is what takes time.
pub struct ReadNotes {
    /// The commits.
    pub history: History,
    /// Their notes.
    pub annotated: AnnotatedHistory,
}

/// The kept series turned out to be damaged while they were used. Reading the notes answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusable;

impl Evidence {
    /// Walks the history and reads the notes, or what was kept of both.
    pub fn gather(request: EvidenceRequest, workspace: &Workspace) -> Result<Self, CommandError> {
        let store = &workspace.store;
        let candidate = workspace.revision(request.rev)?;
        let base = base(store, request.against, workspace.settings.base.clone())?;
        let fork = base.as_ref().map_or(Ok(Some(candidate)), |base| store.merge_base(candidate, base.commit))?;
        let walk = history::walk(request.history, workspace.settings.history);
        let own = own_commits(store, candidate, fork)?;
        let (history, line) = past(store, &own, fork, walk, request.kept)?;
        let merged_excuses = merged_excuses(store, candidate, history.annotated(), line)?;
        let revision = request.revision.map(|commit| Ok::<_, CommandError>((commit, history::of_commit(store, commit)?)));
        Ok(Self { candidate, base, own, history, merged_excuses, revision: revision.transpose()? })
    }

    /// The newest commit of what the candidate is held against, if there is any.
    pub fn newest_of_history(&self) -> Option<ObjectId> {
        match (&self.revision, &self.history) {
            (Some((commit, _)), _) => Some(*commit),
            (None, Past::Series { newest, .. }) => Some(*newest),
            (None, Past::Notes { newest, .. }) => *newest,
        }
    }

    /// Whether older commits that would count exist elsewhere.
    pub fn is_truncated(&self) -> bool {
        self.revision.is_none() && matches!(&self.history, Past::Notes { read, .. } if read.history.truncated)
    }

    /// Every selected series and its candidate. The histories may still be without their runs, which [`Evidence::load`]
    /// brings.
    pub fn outlines(&self, selection: &Selection) -> Result<Vec<(Series, Candidate)>, Unusable> {
        let records = history::records(&self.history.annotated().commits, selection);
        let candidate = records.iter().filter(|record| record.position == 0).copied();
        if let Some((_, annotated)) = &self.revision {
            return Ok(judge::assemble(history::records(&annotated.commits, selection), candidate));
        }
        match &self.history {
            Past::Notes { .. } => {
                let own = self.own.len();
                let older = records.iter().filter(|record| record.position >= own);
                let history = older.map(|record| HistoryRecord { position: record.position - own, ..*record });
                Ok(judge::assemble(history, candidate))
            }
            Past::Series { series, .. } => outlines(series, selection, judge::assemble([], candidate)),
        }
    }

    /// How many runs of a series' history may bind.
    pub fn count(&self, series: &Series) -> usize {
        match self.kept() {
            Some(kept) => kept.counts(&series.key, &series.metric.unit).runs,
            None => series.runs.len(),
        }
    }

    /// Gives a series the newest runs of its history, at most `most`, where it has not all of them already.
    pub fn load(&self, series: &mut Series, most: usize) -> Result<(), Unusable> {
        let Some(kept) = self.kept() else { return Ok(()) };
        if series.runs.len() == most.min(self.count(series)) {
            return Ok(());
        }
        kept.runs(&series.key, &series.metric.unit, most, |run| history::measured(kept, run), &mut series.runs).ok_or(Unusable)
    }

    /// What the oldest runs of a series come to, where that was kept.
    pub fn digest(&self, series: &Series) -> Option<Digest> {
        self.kept()?.digest(&series.key, &series.metric.unit)
    }

    /// Some of the runs that a digest stands for.
    pub fn sealed_runs(&self, series: &Series, numbers: Range<usize>) -> Result<Vec<MeasuredRun>, Unusable> {
        let kept = self.kept().ok_or(Unusable)?;
        let runs = kept.sealed_runs(&series.key, &series.metric.unit, numbers).ok_or(Unusable)?;
        Ok(runs.into_iter().map(|run| history::measured(kept, run)).collect())
    }

    /// The commits and notes that were read, unless what was kept of them answered.
    pub fn into_notes(self) -> Option<ReadNotes> {
        match self.history {
            Past::Notes { read, .. } => Some(read),
            Past::Series { .. } => None,
        }
    }

    /// The kept series, where the history comes from them.
    fn kept(&self) -> Option<&SeriesHistory> {
        match &self.history {
            Past::Series { series, .. } if self.revision.is_none() => Some(series),
            _ => None,
        }
    }

    /// Every excuse and where it stands. A revision that somebody named binds, whatever was excused after it.
    pub fn excuses(&self) -> Vec<PlacedExcuse> {
        let placed = self.history.annotated().excuses().map(|(position, excuse)| {
            let place = position.checked_sub(self.own.len()).map_or(ExcusePlace::Candidate, ExcusePlace::History);
            PlacedExcuse { excuse: excuse.clone(), place }
        });
        let placed = placed.chain(self.merged_excuses.iter().cloned());
        placed.filter(|excuse| self.revision.is_none() || excuse.place == ExcusePlace::Candidate).collect()
    }

    /// What the store has to say.
    pub fn notices(&self, store: &Store) -> Result<Vec<Notice>, CommandError> {
        let mut notices = store_notices(self.history.annotated(), store)?;
        notices.extend(self.is_truncated().then(shallow_notice));
        notices.extend(self.base.is_none().then(|| {
            Notice::new("no_base", "no base branch was found: the commit is held against its own parents")
                .hint("name one with --against REV or git config ratchet.base REV")
        }));
        Ok(notices)
    }
}

impl Past {
    fn annotated(&self) -> &AnnotatedHistory {
        match self {
            Self::Series { series, .. } => series.annotated(),
            Self::Notes { read, .. } => &read.annotated,
        }
    }
}

/// Reads the history, and its ids, newest first, where excuses ask for them.
fn past(
    store: &Store,
    own: &[HistoryCommit],
    fork: Option<ObjectId>,
    walk: Walk,
    kept: bool,
) -> Result<(Past, Vec<ObjectId>), CommandError> {
    let (tips, is_cut_off) = older_tips(store, own[0].id, fork, walk)?;
    // What is kept does not say who signed for it.
    let kept = kept && store.trust() == Trust::Any;
    if let (&[newest], true) = (tips.as_slice(), kept)
        && let Some(series) = store.series_history(own, newest, walk)?
    {
        let asked = !series.annotated().elsewhere.is_empty();
        if let Some(line) = if asked { series.line() } else { Some(Vec::new()) } {
            return Ok((Past::Series { newest, series: Box::new(series) }, line));
        }
    }
    let older = if tips.is_empty() { History::default() } else { store.history(&tips, walk)? };
    let truncated = older.truncated || is_cut_off;
    let line = older.commits.iter().map(|commit| commit.id).collect();
    let newest = older.newest().map(|commit| commit.id);
    let history = History { commits: [own, &older.commits].concat(), truncated };
    let annotated = store.annotated_history(&history, &store.notes()?)?;
    Ok((Past::Notes { newest, read: ReadNotes { history, annotated } }, line))
}

/// Where the history begins that the candidate is held against: at the fork, or at the parents of a candidate that is on
/// the base itself; and whether it ends there only because this is a shallow clone.
fn older_tips(
    store: &Store,
    candidate: ObjectId,
    fork: Option<ObjectId>,
    walk: Walk,
) -> Result<(Vec<ObjectId>, bool), CommandError> {
    match fork {
        Some(fork) if fork == candidate => {
            let mut parents = store.commit(candidate)?.parents;
            parents.truncate(if walk == Walk::FirstParent { 1 } else { usize::MAX });
            Ok((parents, store.is_cut_off(candidate)?))
        }
        Some(fork) => Ok((vec![fork], false)),
        None => Ok((Vec::new(), store.is_shallow())),
    }
}

/// The selected series of a kept history, without their runs, and those that only the candidate has.
fn outlines(
    kept: &SeriesHistory,
    selection: &Selection,
    candidate: Vec<(Series, Candidate)>,
) -> Result<Vec<(Series, Candidate)>, Unusable> {
    let mut sides: BTreeMap<SeriesKey, (Series, Candidate)> =
        candidate.into_iter().map(|(series, candidate)| (series.key.clone(), (series, candidate))).collect();
    for (key, metric) in kept.series().ok_or(Unusable)?.into_iter().filter(|(key, _)| selection.covers(key)) {
        let was = metric.better;
        let (series, _) = sides.entry(key.clone()).or_insert_with(|| (Series::empty(key.clone(), metric), Candidate::default()));
        series.was_better = Some(was).filter(|was| *was != series.metric.better);
        series.excluded = history::excluded(kept.counts(&key, &series.metric.unit));
    }
    Ok(sides.into_values().collect())
}

/// Excuses that came with merged branches. A walk along first parents does not meet the excused commit itself; the
/// excuse counts from the merge on.
fn merged_excuses(
    store: &Store,
    candidate: ObjectId,
    annotated: &AnnotatedHistory,
    older: Vec<ObjectId>,
) -> Result<Vec<PlacedExcuse>, CommandError> {
    let line: Vec<ObjectId> = std::iter::once(candidate).chain(older).collect();
    let mut placed = Vec::new();
    for (commit, excuse) in &annotated.elsewhere {
        if let Some(position) = store.merged_at(&line, *commit)? {
            let place = position.checked_sub(1).map_or(ExcusePlace::Candidate, ExcusePlace::History);
            placed.push(PlacedExcuse { excuse: excuse.clone(), place });
        }
    }
    Ok(placed)
}

/// The base that was asked for or found; where nobody named one and none can be found, there is none.
fn base(store: &Store, against: Option<String>, configured: Option<String>) -> Result<Option<Base>, CommandError> {
    match store.base(&BaseRequest { against, configured }) {
        Ok(base) => Ok(Some(base)),
        Err(StoreError::NoBase) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The candidate and what lies between it and the fork, newest first.
fn own_commits(store: &Store, candidate: ObjectId, fork: Option<ObjectId>) -> Result<Vec<HistoryCommit>, CommandError> {
    match fork {
        Some(fork) if fork != candidate => Ok(store.commits_between(fork, candidate)?),
        _ => Ok(vec![store.history_commit(candidate)?]),
    }
}
