//! Refs, whatever keeps them: gix for loose and packed files, the git program for reftable, which gix cannot read.

use std::path::PathBuf;

use gix::refs::Target;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};

use super::git::Git;
use super::objects::classify;
use super::{Store, StoreError};

/// Who answers for refs in this repository.
#[derive(Debug)]
pub(super) enum Refs {
    /// Files under `refs/` and `packed-refs`.
    Files,
    /// A reftable.
    Reftable(Git),
}

/// How a compare-and-swap went.
#[derive(Debug)]
pub(super) enum Swap {
    /// The ref has the new value.
    Done,
    /// Somebody else wrote first.
    Lost,
    /// A lock file is in the way.
    Locked(PathBuf),
}

/// A write of one ref on a condition.
pub(super) struct Update<'a> {
    /// The full name.
    pub name: &'a str,
    /// What it must name now; `None`: it must not exist.
    pub old: Option<gix::ObjectId>,
    /// What it shall name.
    pub new: gix::ObjectId,
    /// The line for the reflog.
    pub message: &'a str,
}

impl Refs {
    /// Chooses by the repository's `extensions.refStorage`.
    pub(super) fn of(repo: &gix::Repository, git: &Git) -> Self {
        let storage = repo.config_snapshot().string("extensions.refStorage");
        match storage {
            Some(format) if format.eq_ignore_ascii_case(b"reftable") => Self::Reftable(git.clone()),
            _ => Self::Files,
        }
    }

    /// The commit of `HEAD`.
    pub(super) fn head(&self, repo: &gix::Repository) -> Result<gix::ObjectId, StoreError> {
        if self.find(repo, "HEAD")?.is_none() {
            let branch = self.head_branch(repo)?.unwrap_or_else(|| "HEAD".into());
            return Err(StoreError::UnbornBranch { branch: branch.trim_start_matches("refs/heads/").to_owned() });
        }
        self.resolve(repo, "HEAD")
    }

    /// The branch that `HEAD` names, in full; `None` when detached.
    pub(super) fn head_branch(&self, repo: &gix::Repository) -> Result<Option<String>, StoreError> {
        self.symbolic(repo, "HEAD")
    }

    /// Why a revision names nothing: `HEAD` of a new repository deserves words of its own.
    fn unknown(&self, repo: &gix::Repository, revision: &str) -> StoreError {
        match self.head(repo) {
            Err(error @ StoreError::UnbornBranch { .. }) if revision.starts_with("HEAD") || revision.starts_with('@') => error,
            _ => StoreError::UnknownRevision { revision: revision.chars().take(200).collect() },
        }
    }

    /// The commit that a revision names.
    pub(super) fn resolve(&self, repo: &gix::Repository, revision: &str) -> Result<gix::ObjectId, StoreError> {
        let unknown = || self.unknown(repo, revision);
        let id = match self {
            Self::Files => repo.rev_parse_single(revision).map_err(|_| unknown())?.detach(),
            Self::Reftable(git) => rev_parse(git, revision)?.ok_or_else(unknown)?,
        };
        let object = repo.try_find_object(id).map_err(|error| classify(format!("the object {id}"), &error))?;
        let object = object.ok_or_else(unknown)?;
        let kind = object.kind;
        let commit = object.peel_to_kind(gix::object::Kind::Commit);
        commit
            .map(|commit| commit.id)
            .map_err(|_| StoreError::NotACommit { revision: revision.to_owned(), kind: kind.to_string() })
    }

    /// The object that a ref names, through symbolic refs but not through tags; `None` where there is no such ref.
    pub(super) fn find(&self, repo: &gix::Repository, name: &str) -> Result<Option<gix::ObjectId>, StoreError> {
        let git = match self {
            Self::Files => return find_file(repo, name),
            Self::Reftable(git) => git,
        };
        rev_parse(git, name)
    }

    /// The ref that a symbolic ref names; `None` where there is none or it is not symbolic.
    pub(super) fn symbolic(&self, repo: &gix::Repository, name: &str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Files => {
                let found = repo.refs.try_find(name).map_err(|error| classify(format!("the ref {name}"), &error))?;
                Ok(found.and_then(|reference| reference.target.try_name().map(|target| target.as_bstr().to_string())))
            }
            Self::Reftable(git) => {
                let answer = git.ask(&["symbolic-ref", "--quiet", name])?;
                Ok((answer.code == Some(0)).then(|| line_of(&answer.stdout)))
            }
        }
    }

    /// Writes a ref if it still has the old value.
    pub(super) fn swap(&self, repo: &gix::Repository, update: &Update<'_>) -> Result<Swap, StoreError> {
        let (refused, locks) = match self {
            Self::Files => match swap_file(repo, update)? {
                None => return Ok(Swap::Done),
                Some(refused) => (refused, vec![format!("{}.lock", update.name), "packed-refs.lock".to_owned()]),
            },
            Self::Reftable(git) => match swap_reftable(git, update)? {
                None => return Ok(Swap::Done),
                Some(refused) => (refused, vec!["reftable/tables.list.lock".to_owned()]),
            },
        };
        if self.find(repo, update.name)? != update.old {
            return Ok(Swap::Lost);
        }
        if let Some(lock) = locks.iter().map(|lock| repo.common_dir().join(lock)).find(|lock| lock.exists()) {
            return Ok(Swap::Locked(lock));
        }
        refused
    }
}

/// What a refused write means when the ref did not move and no lock is there any more.
type Refused = Result<Swap, StoreError>;

fn swap_file(repo: &gix::Repository, update: &Update<'_>) -> Result<Option<Refused>, StoreError> {
    let Err(error) = repo.edit_reference(edit_of(update)?) else {
        return Ok(None);
    };
    let is_passing = error.is_retryable() || error.is_conflict();
    Ok(Some(if is_passing { Ok(Swap::Lost) } else { Err(classify(format!("writing {}", update.name), &error)) }))
}

fn edit_of(update: &Update<'_>) -> Result<RefEdit, StoreError> {
    let expected = match update.old {
        Some(old) => PreviousValue::MustExistAndMatch(Target::Object(old)),
        None => PreviousValue::MustNotExist,
    };
    let name = update
        .name
        .try_into()
        .map_err(|_| StoreError::InvalidNotesRef { name: update.name.to_owned(), why: "git does not allow such a name" })?;
    let log = LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: update.message.into() };
    Ok(RefEdit { change: Change::Update { log, expected, new: Target::Object(update.new) }, name, deref: true })
}

fn swap_reftable(git: &Git, update: &Update<'_>) -> Result<Option<Refused>, StoreError> {
    let old = update.old.unwrap_or_else(|| gix::ObjectId::null(update.new.kind())).to_string();
    let new = update.new.to_string();
    let answer = git.ask(&["update-ref", "-m", update.message, update.name, &new, &old])?;
    if answer.code == Some(0) {
        return Ok(None);
    }
    let command = format!("update-ref {}", update.name);
    Ok(Some(Err(StoreError::GitFailed { command, code: answer.code, stderr: answer.stderr })))
}

fn find_file(repo: &gix::Repository, name: &str) -> Result<Option<gix::ObjectId>, StoreError> {
    let failed = |error: &gix::Error| classify(format!("the ref {name}"), error);
    let Some(mut reference) = repo.try_find_reference(name).map_err(|error| failed(&error))? else {
        return Ok(None);
    };
    match reference.follow_to_object() {
        Ok(id) => Ok(Some(id.detach())),
        // A symbolic ref to a branch that is not there yet, such as HEAD of an empty repository.
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

fn rev_parse(git: &Git, revision: &str) -> Result<Option<gix::ObjectId>, StoreError> {
    let answer = git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", revision])?;
    Ok(gix::ObjectId::from_hex(line_of(&answer.stdout).as_bytes()).ok())
}

fn line_of(stdout: &[u8]) -> String {
    String::from_utf8_lossy(stdout).trim_end().to_owned()
}

impl Store {
    /// The object that a ref names, or `None`.
    pub(super) fn find_ref(&self, name: &str) -> Result<Option<gix::ObjectId>, StoreError> {
        self.refs.find(&self.repo, name)
    }

    /// Whether there is any ref below a folder.
    pub(super) fn has_refs(&self, folder: &str) -> Result<bool, StoreError> {
        match &self.refs {
            Refs::Files => {
                let failed = |error: &gix::Error| classify(format!("the refs below {folder}"), error);
                let refs = self.repo.references().map_err(|error| failed(&error))?;
                let mut below = refs.prefixed(folder).map_err(|error| failed(&error))?;
                Ok(below.next().is_some())
            }
            Refs::Reftable(git) => Ok(!git.output(&["for-each-ref", "--count=1", folder])?.is_empty()),
        }
    }
}
