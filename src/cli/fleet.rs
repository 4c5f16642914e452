//! Where a command runs, and the hidden verb that runs there.

use std::path::PathBuf;

use clap::Args;

/// Where a command runs.
#[derive(Debug, Args, Clone, Default)]
pub struct OnArgs {
    /// Run at this place, a [fleet.NAME] of ratchet.toml: as a job of Slurm, with this commit and this ratchet.toml, whatever
    /// happens here while the job waits.
    #[arg(long, value_name = "NAME")]
    pub on: Option<String>,
}

/// What git ratchet lets Slurm start.
#[derive(Debug, Args)]
pub struct FleetJobArgs {
    /// The file that says what to do.
    pub order: PathBuf,
}
