//! What worktrees are kept for: the builds in them. By what they are made, and how long they took.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::context::Context;
use crate::report::Notice;
use crate::report::number::count;
use crate::settings::Settings;
use crate::store::{Keeping, Origin};

/// Programs that builds are made by. Few build systems notice that one of them was replaced.
const TOOLS: [&str; 22] = [
    "ar", "as", "c++", "cargo", "cc", "clang", "clang++", "cmake", "g++", "gcc", "gfortran", "go", "ld", "ld.lld", "make",
    "mold", "ninja", "nvcc", "python", "python3", "rustc", "zig",
];

/// Variables that say what is built, and how.
const VARIABLES: [&str; 25] = [
    "AR",
    "AS",
    "CC",
    "CFLAGS",
    "CPATH",
    "CPPFLAGS",
    "CPLUS_INCLUDE_PATH",
    "CUDACXX",
    "CUDAHOSTCXX",
    "CUDA_HOME",
    "CUDA_PATH",
    "CXX",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "FC",
    "FFLAGS",
    "GOFLAGS",
    "GOTOOLCHAIN",
    "LD",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MAKEFLAGS",
    "PATH",
    "PKG_CONFIG_PATH",
];

/// What others begin with.
const PREFIXES: [&str; 10] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CGO_",
    "CMAKE_",
    "NVCC_",
    "RUSTC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// A build that takes so long, and so large a part of everything, is worth a setting.
const LONG: Duration = Duration::from_secs(30);
const LARGE_PART: f64 = 1.0 / 3.0;

/// Shorter waits are not told.
const TOLD: Duration = Duration::from_secs(1);

/// What becomes of worktrees that are built as `settings` say.
pub fn keeping(settings: &Settings, context: &Context) -> Keeping {
    Keeping {
        most: settings.keep_worktrees,
        incremental: settings.incremental,
        made_by: format!("{}{}", settings.recipe(), builders(context)),
    }
}

/// The tools and variables in use, as a text that is another one when they are others.
fn builders(context: &Context) -> String {
    let mut variables: Vec<_> = context.env.iter().filter(|(name, _)| is_of_builds(name)).collect();
    variables.sort_unstable();
    let mut text = format!("{variables:?}");
    let path = context.env("PATH").unwrap_or_default();
    let named = ["CC", "CXX", "CUDACXX", "FC", "LD"].into_iter().filter_map(|name| context.env(name));
    for tool in TOOLS.into_iter().chain(named) {
        // As ccache does it: a replaced compiler has another size or time.
        let found = path.split(':').map(|folder| Path::new(folder).join(tool)).find_map(|file| file.canonicalize().ok());
        let facts = found.and_then(|file| Some((file.metadata().ok()?, file)));
        let facts = facts.map(|(metadata, file)| (file, metadata.len(), metadata.modified().ok()));
        let _ = write!(text, "{tool}: {facts:?}");
    }
    text
}

fn is_of_builds(variable: &str) -> bool {
    VARIABLES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// How long a session of worktrees took for what, and where they came from.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildTimes {
    /// Checking out, building and trying.
    pub readying: Duration,
    /// Measuring.
    pub measuring: Duration,
    new: usize,
    moved: usize,
    kept: usize,
}

impl BuildTimes {
    /// Counts a worktree.
    pub fn count(&mut self, origin: Origin) {
        match origin {
            Origin::New => self.new += 1,
            Origin::Moved => self.moved += 1,
            Origin::Kept => self.kept += 1,
            Origin::Session => {}
        }
    }

    /// In a line, where there is something to tell.
    pub fn line(&self) -> Option<String> {
        let parts = [(self.kept, "kept since before"), (self.moved, "moved from another commit"), (self.new, "new")];
        let parts: Vec<String> =
            parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
        let all = count(self.new + self.moved + self.kept, "worktree");
        let (readying, measuring) = (seconds(self.readying), seconds(self.measuring));
        let is_told = self.readying >= TOLD || self.kept + self.moved > 0;
        is_told.then(|| {
            format!("{all} ({}): {readying} until they were built and tried, {measuring} of measuring", parts.join(", "))
        })
    }

    /// That it took long and need not. `settings` are those that were built by.
    pub fn notice(&self, settings: &Settings) -> Option<Notice> {
        let part = self.readying.as_secs_f64() / (self.readying + self.measuring).as_secs_f64().max(f64::MIN_POSITIVE);
        let hint = match (settings.keep_worktrees, settings.incremental) {
            (0, _) => "git config ratchet.keepWorktrees 8 keeps what is built for the next time (docs/builds.md)",
            (_, false) => {
                "incremental = true in ratchet.toml lets worktrees move from commit to commit (docs/builds.md says when)"
            }
            (_, true) => return None,
        };
        let is_long = self.readying > LONG && part > LARGE_PART && self.new > 0;
        let (readying, all) = (seconds(self.readying), seconds(self.readying + self.measuring));
        let message = format!("checking out and building {} took {readying} of {all}", count(self.new + self.moved, "worktree"));
        is_long.then(|| Notice::new("long_builds", message).hint(hint))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(readying: u64, measuring: u64) -> BuildTimes {
        let (readying, measuring) = (Duration::from_secs(readying), Duration::from_secs(measuring));
        let mut times = BuildTimes { readying, measuring, ..BuildTimes::default() };
        [Origin::New, Origin::New, Origin::Kept, Origin::Session].into_iter().for_each(|origin| times.count(origin));
        times
    }

    #[track_caller]
    fn check(times: BuildTimes, (keep_worktrees, incremental): (usize, bool), expected: Option<&str>) {
        let mut settings = Settings::default();
        (settings.keep_worktrees, settings.incremental) = (keep_worktrees, incremental);
        let hint = times.notice(&settings).map(|notice| notice.hint.unwrap());
        assert_eq!(hint.as_deref().map(|hint| hint.contains(expected.unwrap_or("?"))), expected.map(|_| true), "{hint:?}");
    }

    #[test]
    fn long_builds_are_told_with_the_setting_that_would_spare_them() {
        check(times(31, 40), (0, false), Some("git config ratchet.keepWorktrees"));
        check(times(31, 40), (0, true), Some("git config ratchet.keepWorktrees"));
        check(times(31, 40), (8, false), Some("incremental = true"));
        check(times(31, 40), (8, true), None);
        check(times(29, 1), (0, false), None);
        check(times(40, 100), (0, false), None);
        let notice = times(95, 35).notice(&Settings::default()).unwrap();
        assert_eq!(notice.message, "checking out and building 2 worktrees took 95.0 s of 130.0 s");
    }

    #[test]
    fn variables_that_change_from_job_to_job_are_not_of_builds() {
        for (variable, expected) in [
            ("CFLAGS", true),
            ("CARGO_PROFILE_RELEASE_LTO", true),
            ("RUSTFLAGS", true),
            ("CMAKE_BUILD_TYPE", true),
            ("CARGO_REGISTRY_TOKEN", false),
            ("CUDA_VISIBLE_DEVICES", false),
            ("GITHUB_RUN_ID", false),
        ] {
            assert_eq!(is_of_builds(variable), expected, "{variable}");
        }
    }

    #[test]
    fn where_worktrees_came_from_is_told_in_a_line() {
        let line = times(95, 35).line().unwrap();
        assert_eq!(line, "3 worktrees (1 kept since before, 2 new): 95.0 s until they were built and tried, 35.0 s of measuring");
        assert_eq!(BuildTimes::default().line(), None, "kernels have none");
    }
}
