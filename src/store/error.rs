//! What can go wrong between us and a repository: each error says what failed, why, and what to do next.

use std::path::PathBuf;

use crate::model::ObjectId;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No repository at or above the folder.
    #[error("{} is not in a git repository; run this inside one, or name one with -C", .path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository belongs to another user and is not listed as safe.
    #[error("the repository at {} belongs to another user; if you trust it, run: git config --global --add safe.directory {}", .path.display(), .path.display())]
    Untrusted {
        /// The repository.
        path: PathBuf,
    },
    /// The repository exists and cannot be opened.
    #[error("the repository at {} cannot be opened: {why}", .path.display())]
    CannotOpen {
        /// The folder that was asked for.
        path: PathBuf,
        /// The reason in words.
        why: String,
    },
    /// `HEAD` names a branch without a commit.
    #[error("the branch `{branch}` has no commit yet; commit something first")]
    UnbornBranch {
        /// The branch that `HEAD` names.
        branch: String,
    },
    /// A revision that names nothing.
    #[error("`{revision}` is not a known revision; look with: git log --all --oneline, or fetch it first")]
    UnknownRevision {
        /// What was asked for.
        revision: String,
    },
    /// A revision that names a tree or a blob.
    #[error("`{revision}` names a {kind}, not a commit; name a commit, a branch or a tag of one")]
    NotACommit {
        /// What was asked for.
        revision: String,
        /// What it names.
        kind: String,
    },
    /// An object that should be there is not.
    #[error("the object {id} is missing; {mend}")]
    MissingObject {
        /// The object.
        id: ObjectId,
        /// The command that mends it, in words.
        mend: &'static str,
    },
    /// A partial clone lacks what is to be read.
    #[error("{what} is not in this clone; {mend}")]
    NotFetched {
        /// What was to be read.
        what: String,
        /// The command that mends it, in words.
        mend: &'static str,
    },
    /// An object is there and cannot be read.
    #[error("{what} cannot be read: {why}; look with: git fsck")]
    Unreadable {
        /// Which object or file.
        what: String,
        /// The reason in words.
        why: String,
    },
    /// The file system refuses.
    #[error("permission denied for {what}: {why}; the repository may be read-only, or belong to another user")]
    PermissionDenied {
        /// What was tried.
        what: String,
        /// The reason in words.
        why: String,
    },
    /// No space is left.
    #[error("no space is left for {what}; nothing was recorded. Make room and try again")]
    DiskFull {
        /// What was tried.
        what: String,
    },
    /// A lock file stands in the way and nothing moves.
    #[error("`{name}` is locked by {}; if no git program is running, it is a leftover: remove that file", .lock.display())]
    RefLocked {
        /// The ref.
        name: String,
        /// The lock file.
        lock: PathBuf,
    },
    /// Others wrote the ref faster than we could, for a long time.
    #[error("`{name}` changed under each of {attempts} attempts in {seconds} s; nothing was recorded. Try again")]
    RefContended {
        /// The ref.
        name: String,
        /// How often a write was tried.
        attempts: u32,
        /// For how long.
        seconds: u64,
    },
    /// The notes ref does not hold a commit.
    #[error("`{name}` names a {kind}, but notes are kept in commits; move it away with: git update-ref -d {name}")]
    NotesRefKind {
        /// The ref.
        name: String,
        /// What it names.
        kind: String,
    },
    /// A notes ref that git would not accept.
    #[error("`{name}` cannot be a notes ref: {why}; the usual one is refs/notes/ratchet")]
    InvalidNotesRef {
        /// What was asked for.
        name: String,
        /// The reason in words.
        why: &'static str,
    },
    /// Git does not know who is writing.
    #[error("git does not know who you are; run: git config user.name 'Your Name' and: git config user.email you@example.com")]
    NoIdentity,
    /// `ratchet.trust` of git's configuration has a value that is none of ours. Nothing is read then: whom to believe is not known.
    #[error("git config ratchet.trust is `{value}`; it is `any` or `signed`")]
    UnknownTrust {
        /// The value.
        value: String,
    },
    /// Git could not sign a notes commit.
    #[error(
        "git cannot sign the notes: {why}\nNothing was recorded. Name a key: git config gpg.format ssh, and git config user.signingKey FILE.pub"
    )]
    CannotSign {
        /// What git said.
        why: String,
    },
    /// A note that is larger than any note should be.
    #[error(
        "the note of {annotated} is, or would become, larger than {} MiB or {} lines; look with: git notes --ref=ratchet show {annotated} | less",
        super::MAX_NOTE_BYTES >> 20, super::MAX_NOTE_LINES
    )]
    NoteTooLarge {
        /// The object that the note belongs to.
        annotated: ObjectId,
    },
    /// The notes tree has more trees or notes than any project has; it may have been made to exhaust memory.
    #[error("`{name}` holds more than {limit} entries, which no history of measurements does; look with: git ls-tree {name}")]
    TooManyNotes {
        /// The ref.
        name: String,
        /// The limit that was passed.
        limit: usize,
    },
    /// None of the usual ways gives a base.
    #[error(
        "there is no base to compare with: no --against, no ratchet.base, no remote HEAD, no upstream, no main or master; name one with --against REV, or run: git remote set-head origin --auto"
    )]
    NoBase,
    /// The git program is not there, or the system does not start it.
    #[error("the program `git` cannot be started: {why}")]
    NoGitProgram {
        /// The reason in words, and what to do.
        why: String,
    },
    /// The git program failed.
    #[error("`git {command}` failed{}: {stderr}", .code.map(|code| format!(" with exit code {code}")).unwrap_or_default())]
    GitFailed {
        /// The subcommand.
        command: String,
        /// Its exit code; none after a signal.
        code: Option<i32>,
        /// What it said, shortened.
        stderr: String,
    },
    /// A temporary worktree cannot be made.
    #[error("the temporary worktree {} cannot be made: {why}", .path.display())]
    NoWorktree {
        /// Where it should be.
        path: PathBuf,
        /// The reason in words.
        why: String,
    },
    /// A shallow clone does not know which commits are reachable.
    #[error("this is a shallow clone: which commits are unreachable is not known here; run: git fetch --unshallow")]
    ShallowPrune,
    /// No remote of that name, or none at all.
    #[error("{}; look with: git remote -v, or add one with: git remote add NAME URL", match .name { Some(name) => format!("there is no remote `{name}`"), None => "there is no remote to exchange notes with".to_owned() })]
    NoRemote {
        /// What was asked for.
        name: Option<String>,
    },
    /// Git could not fetch from a remote or push to it.
    #[error(
        "cannot {action} `{remote}`: {said}\nThe notes here are as they were. Whether the remote answers: git ls-remote {remote}"
    )]
    Unreachable {
        /// `fetch from` or `push to`.
        action: &'static str,
        /// The remote.
        remote: String,
        /// What git said.
        said: String,
    },
    /// The remote answers, and git could not fetch from it none the less.
    #[error("cannot fetch from `{remote}`, though it answers: {said}\nThe notes here are as they were")]
    FetchFailed {
        /// The remote.
        remote: String,
        /// What git said.
        said: String,
    },
    /// The remote says that others push, and nothing comes of it.
    #[error(
        "`{remote}` cannot write its notes, and nobody else changed them in {seconds} s: {said}\nNothing is lost: the notes are here. If no git program is at work there, a lock file is a leftover that whoever looks after the remote can remove"
    )]
    RemoteLocked {
        /// The remote.
        remote: String,
        /// For how long.
        seconds: u64,
        /// What git and the remote said.
        said: String,
    },
    /// The remote takes part in the exchange, and does not take the notes.
    #[error(
        "`{remote}` does not take {notes_ref}: {reason}\n{said}\nNothing is lost: the notes are here. Whoever looks after the remote can allow pushes to {notes_ref}"
    )]
    PushRefused {
        /// The remote.
        remote: String,
        /// The ref.
        notes_ref: String,
        /// The reason of git's status line.
        reason: String,
        /// What git and the remote said.
        said: String,
    },
    /// Others kept pushing first.
    #[error(
        "others pushed notes to `{remote}` first, {attempts} times in {seconds} s; nothing is lost. Try again: git ratchet push"
    )]
    PushContended {
        /// The remote.
        remote: String,
        /// How often it was tried.
        attempts: u32,
        /// For how long.
        seconds: u64,
    },
    /// `GIT_COMMON_DIR` points elsewhere than the repository itself.
    #[error("GIT_COMMON_DIR is {}, but this repository keeps its objects in {}; unset GIT_COMMON_DIR", .given.display(), .found.display())]
    ForeignCommonDir {
        /// What the environment says.
        given: PathBuf,
        /// What the repository says.
        found: PathBuf,
    },
}
