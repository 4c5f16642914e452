//! The arguments of `fetch`, `push` and `hook`.

use clap::{Args, Subcommand};

/// Exchange of notes with a remote.
#[derive(Debug, Args)]
pub struct ExchangeArgs {
    /// The remote. Default: git config ratchet.remote, the current branch's remote, origin, or the only one.
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Fetch to the tracking ref and say what would happen; neither the notes here nor those of the remote change.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Hold what is pushed against its history, before it is pushed.
///
/// With the pre-push hook each pushed branch gets the verdict of `git ratchet check`. A regression stops the push; `git push
/// --no-verify` pushes all the same. It runs no benchmark.
#[derive(Debug, Args)]
pub struct HookArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What to do with the hook.
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Install the pre-push hook. A hook that is there already is kept and runs first.
    Install,
    /// Remove the pre-push hook and put back what was there before.
    Uninstall,
    /// Say whether the hook is installed, and where.
    Status,
    /// What the installed hook calls: reads the pushed refs from standard input.
    #[command(hide = true)]
    Run {
        /// The hook's name.
        #[arg(value_parser = ["pre-push"])]
        hook: String,
        /// The remote's name, or its URL where it has no name.
        remote: String,
        /// The remote's URL.
        url: String,
    },
}
