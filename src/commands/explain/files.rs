//! The files that differ between two commits, their difference line by line, and the commits in between that changed them.
//! Everything is read from objects and bounded: a stranger's tree may be as large as it likes.

use std::collections::HashSet;

use similar::{ChangeTag, TextDiff};

use crate::commands::error::CommandError;
use crate::commands::unchanged::globs;
use crate::model::ObjectId;
use crate::report::explanation::{ChangeKind, ChangedFile, Content, DiffLine, LineKind};
use crate::report::overview::CommitEntry;
use crate::store::{Blob, ChangedPath, Store};

/// Files that are named, and lines and bytes that are shown of them.
const MOST_FILES: usize = 40;
const MOST_LINES: usize = 600;
const LARGEST_FILE: u64 = 256 << 10;

/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// Commits that are looked into, and that are named.
const MOST_COMMITS_SEEN: usize = 1000;
const MOST_COMMITS: usize = 20;

/// What differs.
pub(super) struct Differing {
    pub(super) files: Vec<ChangedFile>,
    pub(super) more_files: usize,
    pub(super) other_files: usize,
    pub(super) commits_between: usize,
    pub(super) commits: Vec<CommitEntry>,
    pub(super) more_commits: usize,
}

/// What differs between two commits among the input files; without globs every file is one.
pub(super) fn differing(
    store: &Store,
    reference: ObjectId,
    candidate: ObjectId,
    inputs: &[String],
) -> Result<Differing, CommandError> {
    let globs = globs(inputs)?;
    let (paths, _) = store.changed_paths(store.commit(reference)?.tree, store.commit(candidate)?.tree)?;
    let (paths, other): (Vec<ChangedPath>, Vec<ChangedPath>) =
        paths.into_iter().partition(|path| inputs.is_empty() || globs.is_match(&path.path));
    let (commits_between, touching) = touching(store, reference, candidate, &paths)?;
    let mut room = MOST_LINES;
    let files = paths.iter().take(MOST_FILES).map(|path| file(store, path, &mut room)).collect::<Result<Vec<_>, _>>()?;
    let commits = touching.iter().take(MOST_COMMITS).map(|id| super::entry(store, *id)).collect::<Result<Vec<_>, _>>()?;
    Ok(Differing {
        more_files: paths.len() - files.len(),
        files,
        other_files: other.len(),
        commits_between,
        more_commits: touching.len() - commits.len(),
        commits,
    })
}

/// How many commits the candidate has that the reference has not, and which of them changed one of these paths. A merge
/// is passed over: its changes are those of the commits that it brings.
fn touching(
    store: &Store,
    reference: ObjectId,
    candidate: ObjectId,
    paths: &[ChangedPath],
) -> Result<(usize, Vec<ObjectId>), CommandError> {
    if reference == candidate {
        return Ok((0, Vec::new()));
    }
    let between = store.commits_between(reference, candidate)?;
    let wanted: HashSet<&str> = paths.iter().map(|path| path.path.as_str()).collect();
    let mut touching = Vec::new();
    for commit in between.iter().take(MOST_COMMITS_SEEN).filter(|_| !wanted.is_empty()) {
        let parents = store.commit(commit.id)?.parents;
        let [parent] = parents.as_slice() else { continue };
        let (changed, _) = store.changed_paths(store.commit(*parent)?.tree, commit.tree)?;
        if changed.iter().any(|path| wanted.contains(path.path.as_str())) {
            touching.push(commit.id);
        }
    }
    Ok((between.len(), touching))
}

fn file(store: &Store, path: &ChangedPath, room: &mut usize) -> Result<ChangedFile, CommandError> {
    let kind = match (path.before, path.after) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Modified,
    };
    let content = if *room == 0 { Content::LeftOut } else { content(store, path, room)? };
    Ok(ChangedFile { path: path.path.clone(), kind, content })
}

fn content(store: &Store, path: &ChangedPath, room: &mut usize) -> Result<Content, CommandError> {
    let mut texts = [String::new(), String::new()];
    for (text, id) in texts.iter_mut().zip([path.before, path.after]) {
        let Some(id) = id else { continue };
        match store.read_blob(id, LARGEST_FILE)? {
            Blob::TooLarge(_) => return Ok(Content::TooLarge),
            // As git has it: what holds a zero byte is no text.
            Blob::Bytes(bytes) if bytes.contains(&0) => return Ok(Content::Binary),
            Blob::Bytes(bytes) => *text = String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
    let lines = lines(&texts[0], &texts[1], *room);
    *room -= lines.len().min(*room);
    Ok(Content::Diff(lines))
}

/// The hunks of a unified diff, at most `most` lines of them.
fn lines(before: &str, after: &str, most: usize) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        lines.push(DiffLine { kind: LineKind::Place, text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let (kind, sign) = match change.tag() {
                ChangeTag::Equal => (LineKind::Same, ' '),
                ChangeTag::Delete => (LineKind::Removed, '-'),
                ChangeTag::Insert => (LineKind::Added, '+'),
            };
            let text = format!("{sign}{}", change.value().trim_end_matches(['\n', '\r']));
            lines.push(DiffLine { kind, text });
        }
        if lines.len() > most {
            lines.truncate(most);
            lines.push(DiffLine { kind: LineKind::Place, text: "… more lines are not shown".to_owned() });
            return lines;
        }
    }
    lines
}
