//! Checking a commit out in a worktree: a new one, or one that was another commit's.
//!
//! The user's hooks do not run, no monitor of the file system is started, and nothing is fetched.

use std::path::Path;

use super::slot::registered;
use crate::model::ObjectId;
use crate::store::git::Git;
use crate::store::{StoreError, submodules};

/// What the user's settings must not change.
const PLAIN: [&str; 6] = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "submodule.recurse=false"];

const NOT_UTF_8: &str =
    "its path is not UTF-8, and other commits cannot be measured under such a path; rename the folder, or clone to another place";

/// Makes a worktree of `commit` at `folder`, where there is nothing. Returns the submodules that stay empty.
pub(super) fn anew(git: &Git, folder: &Path, commit: ObjectId, modules: &[&Path]) -> Result<Vec<String>, StoreError> {
    let Some(text) = folder.to_str() else {
        return Err(StoreError::NoWorktree { path: folder.to_owned(), why: NOT_UTF_8.to_owned() });
    };
    // Twice forced: git may remember one that somebody removed by hand.
    let add = ["worktree", "add", "--force", "--force", "--quiet", "--detach", text];
    git.elsewhere().output(&[&PLAIN[..], &add, &[&commit.to_string()]].concat())?;
    Ok(submodules::check_out(git, folder, modules))
}

/// Brings the worktree at `folder` to what a new one of `commit` has, but for the ignored files, which stay. Whether that worked.
pub(super) fn bring(git: &Git, folder: &Path, commit: ObjectId, modules: &[&Path]) -> bool {
    let Some(own) = own(git, folder) else { return false };
    let commit = commit.to_string();
    let checkout = ["checkout", "--quiet", "--force", "--detach", &commit, "--"];
    own.output(&[&PLAIN[..], &checkout].concat()).is_ok()
        && own.output(&[&PLAIN[..], &["clean", "-ffdq"]].concat()).is_ok()
        && submodules::check_out(git, folder, modules).is_empty()
        && is_clean(&own)
}

/// Whether the worktree at `folder` is git's, has `commit`, and nobody changed a file.
pub(super) fn is_as_left(git: &Git, folder: &Path, commit: ObjectId) -> bool {
    let is_registered = registered(git, folder).iter().any(|path| path == folder);
    let Some(own) = own(git, folder).filter(|_| is_registered) else { return false };
    let head = own.output(&["rev-parse", "--symbolic-full-name", "HEAD"]).unwrap_or_default();
    let id = own.output(&["rev-parse", "HEAD"]).unwrap_or_default();
    // The name of a branch would be another.
    head.trim_ascii() == b"HEAD" && id.trim_ascii() == commit.to_string().as_bytes() && is_clean(&own)
}

/// Git for the worktree, where it is one of this repository: what stands there by accident is nobody's to overwrite.
fn own(git: &Git, folder: &Path) -> Option<Git> {
    // The places are in `ratchet/worktrees` of the common folder, and what git knows of worktrees is in `worktrees`.
    let known = folder.ancestors().nth(3)?.join("worktrees");
    git.at(folder).filter(|own| own.git_dir().parent() == Some(&known))
}

fn is_clean(own: &Git) -> bool {
    let status = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=none"];
    own.output(&[&PLAIN[..], &status].concat()).is_ok_and(|changes| changes.is_empty())
}
