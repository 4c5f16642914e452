//! The exit-code table, the same for every command (docs/exit-codes.md).

/// What a command's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it holds.
    Holds,
    /// 1: a regression, or a failed verification.
    Regression,
    /// 2: the command line or the settings are wrong.
    Usage,
    /// 3: no verdict: not measured, undecided, or no baseline where one is required.
    NoVerdict,
    /// 4: something failed: the repository, a benchmark, the disk.
    Failure,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Regression => 1,
            Self::Usage => 2,
            Self::NoVerdict => 3,
            Self::Failure => 4,
        }
    }

    /// The code for `git bisect run`: it skips a commit on 125 and stops on 128.
    pub fn bisect_code(self) -> u8 {
        match self {
            Self::NoVerdict => 125,
            Self::Usage | Self::Failure => 128,
            Self::Holds | Self::Regression => self.code(),
        }
    }
}
