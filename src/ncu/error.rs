//! Why there is no profile, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use super::csv::CsvError;
use crate::harness::{Ending, LastLines};

/// Why a command could not be profiled.
#[derive(Debug, thiserror::Error)]
pub enum NcuError {
    /// It is in none of the usual places.
    #[error("Nsight Compute (ncu) was not found in PATH, $CUDA_HOME, /usr/local/cuda or /opt/nvidia/nsight-compute")]
    NotFound,
    /// It is not where git's configuration says.
    #[error("git config ratchet.ncu names {}, which is no program", path.display())]
    NotConfigured {
        /// What is configured.
        path: PathBuf,
    },
    /// The driver keeps the counters for administrators.
    #[error("the NVIDIA driver lets only administrators read performance counters (ERR_NVGPUCTRPERM)")]
    NotPermitted,
    /// Something else has the counters.
    #[error("the counters are in use by another program, such as DCGM or a second profiler")]
    Busy,
    /// The chip cannot be profiled, or not by this version, or not here.
    #[error("{0}")]
    NotSupported(String),
    /// The command launched nothing that matches.
    #[error("no kernel was profiled: {}", no_kernel(filter.as_deref(), *skip))]
    NoKernel {
        /// The regular expression for names.
        filter: Option<String>,
        /// How many launches were skipped.
        skip: u32,
    },
    /// The profiled command failed.
    #[error("the profiled command failed with exit code {code}{output}")]
    CommandFailed {
        /// Its exit code, as the profiler tells it.
        code: String,
        /// The last that was printed.
        output: Box<LastLines>,
    },
    /// The profiler failed and says why, or does not.
    #[error("ncu {}{}{output}", ending.map_or("ended without a report".to_owned(), |ending| ending.to_string()), reason(errors))]
    Failed {
        /// How it ended, where not well.
        ending: Option<Ending>,
        /// Its own error lines.
        errors: Vec<String>,
        /// The last that was printed.
        output: Box<LastLines>,
    },
    /// It took too long.
    #[error("profiling was stopped after {after:?}{output}")]
    TimedOut {
        /// The limit.
        after: Duration,
        /// The last that was printed.
        output: Box<LastLines>,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The report was made, and what ncu prints of it cannot be read.
    #[error("what ncu printed of its report cannot be read: {source}{output}")]
    Unreadable {
        /// Why not.
        source: CsvError,
        /// The last that was printed.
        output: Box<LastLines>,
    },
    /// The report has none of the counters that are kept.
    #[error("the report has none of the metrics that git-ratchet keeps")]
    NoKeyMetrics,
    /// It could not be started or watched.
    #[error("cannot run {}: {source}", path.display())]
    NotRun {
        /// The program.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl NcuError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound => {
                "it comes with the CUDA toolkit, or alone from developer.nvidia.com/nsight-compute; if it lies elsewhere: git config ratchet.ncu /path/to/ncu"
            }
            Self::NotConfigured { .. } => "name the program itself, or let it be searched: git config --unset ratchet.ncu",
            Self::NotPermitted => {
                "three ways out: let everybody profile (as root: write `options nvidia NVreg_RestrictProfilingToAdminUsers=0` to /etc/modprobe.d/nvidia-profiling.conf, rebuild the initramfs, reboot); run it with the capability (sudo, or docker run --cap-add SYS_ADMIN); or give git-ratchet a script that calls ncu with sudo: git config ratchet.ncu /path/to/script"
            }
            Self::Busy => "stop the other program while you profile; for DCGM: dcgmi profile --pause, and --resume afterwards",
            Self::NotSupported(_) => {
                "a newer Nsight Compute may know this chip; virtual GPUs and some instances have no counters"
            }
            Self::NoKernel { filter: Some(_), .. } => "look at the names without --kernel, or lower --launch-skip",
            Self::NoKernel { filter: None, .. } => "does the command launch a kernel? lower --launch-skip if it launches few",
            Self::CommandFailed { .. } => "run the benchmark without the profiler first: git ratchet bench --dry-run",
            Self::TimedOut { .. } => {
                "profile fewer launches (--kernel, --launch-count), a smaller --set, or give a longer --timeout"
            }
            Self::NoKeyMetrics => "collect more: --set full",
            Self::Failed { .. } | Self::Interrupted | Self::Unreadable { .. } | Self::NotRun { .. } => return None,
        })
    }
}

fn no_kernel(filter: Option<&str>, skip: u32) -> String {
    let which =
        filter.map_or_else(|| "the command launched none".to_owned(), |regex| format!("none has a name that matches `{regex}`"));
    if skip > 0 { format!("{which}, or no more than the {skip} that were skipped") } else { which }
}

fn reason(errors: &[String]) -> String {
    if errors.is_empty() { String::new() } else { format!(": {}", errors.join("; ")) }
}
