//! The submodules of a temporary worktree, from what this clone has of them.
//!
//! `git worktree add` leaves submodules empty. The user's own ones were cloned into the repository's `modules` folder; from
//! there they are checked out again at the commits that the worktree wants, without a network: objects are borrowed,
//! not copied, and the repository's configuration stays as it is. They live and go with the worktree. Where one was checked
//! out before, it is brought to what is wanted now, and of the rest only ignored files stay.

use std::path::{Component, Path};

use super::git::Git;

/// Submodules within submodules are followed to this depth.
const MOST_DEPTH: usize = 8;

/// A submodule as `.gitmodules` declares it.
struct Submodule {
    name: String,
    path: String,
}

/// Checks out the submodules of the work tree at `folder`, and theirs. `modules` are folders with clones by name; the first
/// that has one is used. Returns the paths, from `folder`, of those that stay empty.
pub(super) fn check_out(git: &Git, folder: &Path, modules: &[&Path]) -> Vec<String> {
    within(git, folder, modules, MOST_DEPTH)
}

fn within(git: &Git, folder: &Path, modules: &[&Path], depth: usize) -> Vec<String> {
    // The link of a work tree to its repository; a folder where the submodule was not checked out has none.
    let declared = git.at(folder).filter(|_| depth > 0).map(|git| (declared(&git), git));
    let Some((submodules, git)) = declared else { return Vec::new() };
    // git makes a folder for each that the commit has; .gitmodules may declare others.
    let wanted = submodules.into_iter().filter(|submodule| !submodule.is_plain() || folder.join(&submodule.path).is_dir());
    let mut missing = Vec::new();
    for submodule in wanted {
        let clone = modules.iter().map(|modules| modules.join(&submodule.name)).find(|clone| clone.is_dir());
        let Some(clone) =
            clone.filter(|clone| submodule.is_plain() && check_out_one(&git, &submodule, clone, &folder.join(&submodule.path)))
        else {
            missing.push(submodule.path);
            continue;
        };
        let nested = within(&git, &folder.join(&submodule.path), &[&clone.join("modules")], depth - 1);
        missing.extend(nested.into_iter().map(|path| format!("{}/{path}", submodule.path)));
    }
    missing
}

/// The submodules of a work tree's `.gitmodules`; none where there is no such file, or no sense in it.
fn declared(git: &Git) -> Vec<Submodule> {
    let listed = git.output(&["config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"]);
    let listed = String::from_utf8(listed.unwrap_or_default()).unwrap_or_default();
    let submodule = |entry: &str| {
        let (key, path) = entry.split_once('\n')?;
        let name = key.strip_prefix("submodule.")?.strip_suffix(".path")?;
        Some(Submodule { name: name.to_owned(), path: path.to_owned() })
    };
    listed.split('\0').filter_map(submodule).collect()
}

impl Submodule {
    /// What a commit declares is not to be trusted: neither name nor path may lead out of its folder, and the name has to
    /// fit into an option of git's.
    fn is_plain(&self) -> bool {
        let stays_inside = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        !self.name.is_empty() && !self.name.contains(['=', '\n']) && stays_inside(&self.name) && stays_inside(&self.path)
    }
}

/// Whether it worked. It does not where the clone lacks the commit.
fn check_out_one(git: &Git, submodule: &Submodule, clone: &Path, folder: &Path) -> bool {
    let Some(clone) = clone.to_str() else { return false };
    let name = &submodule.name;
    let settings = [
        format!("submodule.{name}.active=true"),
        format!("submodule.{name}.url={clone}"),
        // The clone is a folder of this computer that git made itself.
        "protocol.file.allow=always".to_owned(),
        "core.hooksPath=/dev/null".to_owned(),
    ];
    let mut arguments = vec!["--literal-pathspecs"];
    arguments.extend(settings.iter().flat_map(|setting| ["-c", setting]));
    arguments.extend(["submodule", "update", "--quiet", "--checkout", "--force", "--no-fetch", "--no-recommend-shallow"]);
    arguments.extend(["--reference", clone, "--", &submodule.path]);
    let is_there = git.output(&arguments).is_ok();
    is_there && git.at(folder).is_none_or(|own| own.output(&["-c", "core.fsmonitor=false", "clean", "-ffdq"]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_that_lead_elsewhere_are_refused() {
        let is_plain = |name: &str, path: &str| Submodule { name: name.to_owned(), path: path.to_owned() }.is_plain();
        assert!(is_plain("third_party/lib", "third_party/lib"));
        for (name, path) in [("../x", "x"), ("x", "../x"), ("/x", "x"), ("x", "/x"), ("x=y", "x"), ("", "x"), ("x", "./../x")] {
            assert!(!is_plain(name, path), "{name:?} at {path:?}");
        }
    }
}
