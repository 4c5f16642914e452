//! What a check looks at: the candidate's own commits, the history it is held against, and the notes of both.

use super::error::CommandError;
use super::history::{self, shallow_notice, store_notices};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::HistoryArg;
use crate::judge::{self, Candidate, ExcusePlace, HistoryRecord, PlacedExcuse, Series};
use crate::model::ObjectId;
use crate::report::Notice;
use crate::store::{AnnotatedHistory, Base, BaseRequest, History, Notes, Store, StoreError};

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
}

/// Notes along the candidate's own commits and along its history, in one list: the candidate first.
pub struct Evidence {
    /// The commit that is checked.
    pub candidate: ObjectId,
    /// The base, where there is one.
    pub base: Option<Base>,
    commits: History,
    /// How many of `commits` are the candidate's own: itself, and what lies between it and the base.
    own: usize,
    annotated: AnnotatedHistory,
    /// Excuses of branches that were merged, where the merge stands.
    merged_excuses: Vec<PlacedExcuse>,
    /// The commit whose runs take the place of the history, and its notes.
    revision: Option<(ObjectId, AnnotatedHistory)>,
}

impl Evidence {
    /// Walks the history and reads the notes.
    pub fn gather(request: EvidenceRequest, workspace: &Workspace) -> Result<Self, CommandError> {
        let store = &workspace.store;
        let candidate = store.resolve(request.rev)?;
        let base = base(store, request.against, workspace.settings.base.clone())?;
        let fork = base.as_ref().map_or(Ok(Some(candidate)), |base| store.merge_base(candidate, base.commit))?;
        let walk = history::walk(request.history, workspace.settings.history);
        let own = own_commits(store, candidate, fork)?;
        let older = match fork {
            Some(fork) if fork == candidate => store.history_before(candidate, walk)?,
            Some(fork) => store.history(&[fork], walk)?,
            None => History { commits: Vec::new(), truncated: store.is_shallow() },
        };
        let own_count = own.len();
        let commits = History { commits: [own, older.commits].concat(), truncated: older.truncated };
        let notes: Notes = store.notes()?;
        let annotated = store.annotated_history(&commits, &notes)?;
        let merged_excuses = merged_excuses(store, &commits, own_count, &annotated)?;
        let revision = request.revision.map(|commit| Ok::<_, CommandError>((commit, history::of_commit(store, commit)?)));
        Ok(Self { candidate, base, commits, own: own_count, annotated, merged_excuses, revision: revision.transpose()? })
    }

    /// The newest commit of what the candidate is held against, if there is any.
    pub fn newest_of_history(&self) -> Option<ObjectId> {
        if let Some((commit, _)) = self.revision {
            return Some(commit);
        }
        self.commits.commits.get(self.own).map(|commit| commit.id)
    }

    /// Whether older commits that would count exist elsewhere.
    pub fn is_truncated(&self) -> bool {
        self.revision.is_none() && self.commits.truncated
    }

    /// Every selected series with its history and its candidate.
    pub fn sides(&self, selection: &Selection) -> Vec<(Series, Candidate)> {
        let records = history::records(&self.annotated.commits, selection);
        let (own, older): (Vec<HistoryRecord>, Vec<HistoryRecord>) =
            records.into_iter().partition(|record| record.position < self.own);
        let candidate = own.into_iter().filter(|record| record.position == 0);
        if let Some((_, annotated)) = &self.revision {
            return judge::assemble(history::records(&annotated.commits, selection), candidate);
        }
        let history = older.into_iter().map(|record| HistoryRecord { position: record.position - self.own, ..record });
        judge::assemble(history, candidate)
    }

    /// Every excuse and where it stands. A revision that somebody named binds, whatever was excused after it.
    pub fn excuses(&self) -> Vec<PlacedExcuse> {
        let placed = self.annotated.commits.iter().flat_map(|annotated| {
            let place = match annotated.position.checked_sub(self.own) {
                Some(position) => ExcusePlace::History(position),
                None => ExcusePlace::Candidate,
            };
            annotated.note.excuses.iter().map(move |excuse| PlacedExcuse { excuse: excuse.clone(), place })
        });
        let placed = placed.chain(self.merged_excuses.iter().cloned());
        placed.filter(|excuse| self.revision.is_none() || excuse.place == ExcusePlace::Candidate).collect()
    }

    /// What the store has to say.
    pub fn notices(&self, store: &Store) -> Result<Vec<Notice>, CommandError> {
        let mut notices = store_notices(&self.annotated, store)?;
        notices.extend(self.is_truncated().then(shallow_notice));
        notices.extend(self.base.is_none().then(|| {
            Notice::new("no_base", "no base branch was found: the commit is held against its own parents")
                .hint("name one with --against REV or git config ratchet.base REV")
        }));
        Ok(notices)
    }
}

/// Excuses that came with merged branches. A walk along first parents does not meet the excused commit itself; the
/// excuse counts from the merge on.
fn merged_excuses(
    store: &Store,
    commits: &History,
    own: usize,
    annotated: &AnnotatedHistory,
) -> Result<Vec<PlacedExcuse>, CommandError> {
    if annotated.elsewhere.is_empty() {
        return Ok(Vec::new());
    }
    let line = [&commits.commits[..1], &commits.commits[own..]].concat();
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
fn own_commits(
    store: &Store,
    candidate: ObjectId,
    fork: Option<ObjectId>,
) -> Result<Vec<crate::store::HistoryCommit>, CommandError> {
    match fork {
        Some(fork) if fork != candidate => Ok(store.commits_between(fork, candidate)?),
        _ => Ok(vec![store.history_commit(candidate)?]),
    }
}
