//! The arguments of `prune`.

use clap::Args;

/// Drop the notes of commits that no branch, tag or worktree leads to any more.
///
/// Shows what would go, and goes no further without --yes. What was measured of a tree that a reachable commit still has
/// stays, as after a squash-merge. A fetch only ever adds: clones that still have a dropped note bring it back with the next
/// notes that they push.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Only notes of which every run and excuse is older than this, such as 90d, 26w or 2y.
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// Also notes of commits that are not in this repository. They may be on branches that were never fetched.
    #[arg(long)]
    pub missing: bool,
    /// Also the samples of records of which the run is older than this: their statistics stay, and so do the samples of records
    /// that hold a level. What is thinned here comes back from clones where it is not, and counts once.
    #[arg(long, value_name = "AGE")]
    pub thin_samples: Option<String>,
    /// No notes: the worktrees that `git config ratchet.keepWorktrees` keeps, with what is built in them.
    #[arg(long, conflicts_with_all = ["older_than", "missing", "thin_samples"])]
    pub worktrees: bool,
    /// Do it.
    #[arg(long)]
    pub yes: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
