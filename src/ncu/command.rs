//! The command lines of Nsight Compute.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is profiled, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileRequest {
    /// Program and arguments that launch the kernels.
    pub command: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Added to its environment.
    pub environment: Vec<(String, String)>,
    /// Only kernels whose name this regular expression matches.
    pub kernel: Option<String>,
    /// How many matching launches pass unprofiled first.
    pub launch_skip: u32,
    /// How many are profiled then.
    pub launch_count: u32,
    /// Which set of sections is collected.
    pub set: String,
    /// Further arguments for Nsight Compute, before the command.
    pub extra: Vec<String>,
    /// Where its report goes; it ends with `.ncu-rep`.
    pub report: PathBuf,
    /// The most that it may take.
    pub timeout: Duration,
}

impl ProfileRequest {
    /// The set that is collected unless told otherwise: everything.
    pub const DEFAULT_SET: &'static str = "full";
    /// A full set replays a kernel some forty times, and a program may begin slowly.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

    /// Program and arguments that profile.
    ///
    /// Clocks stay as they are, since the measured times were taken so; caches are emptied before every replay, so that
    /// the passes see the same.
    pub fn command_line(&self, ncu: &Path) -> Vec<String> {
        let mut line = vec![text(ncu)];
        let fixed = ["--target-processes", "all", "--clock-control", "none", "--cache-control", "all", "--replay-mode", "kernel"];
        line.extend(fixed.map(str::to_owned));
        if let Some(kernel) = &self.kernel {
            line.extend(["--kernel-name".to_owned(), format!("regex:{kernel}")]);
        }
        line.extend(["--launch-skip".to_owned(), self.launch_skip.to_string()]);
        line.extend(["--launch-count".to_owned(), self.launch_count.to_string()]);
        line.extend(["--set".to_owned(), self.set.clone()]);
        line.extend(self.extra.iter().cloned());
        line.extend(["--force-overwrite".to_owned(), "--export".to_owned(), text(&self.report)]);
        line.extend(self.command.iter().cloned());
        line
    }
}

/// Program and arguments that print a report as CSV, in base units.
pub(super) fn import_line(ncu: &Path, report: &Path) -> Vec<String> {
    let fixed = ["--page", "raw", "--csv", "--print-units", "base", "--print-fp"];
    [text(ncu), "--import".to_owned(), text(report)].into_iter().chain(fixed.map(str::to_owned)).collect()
}

/// Paths that are not UTF-8 cannot be told to another program as an argument of text; what is lost shows in its error.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
