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

    /// The exit of a process with this code; `None` where none of ours ends so.
    pub fn of_code(code: u8) -> Option<Self> {
        [Self::Holds, Self::Regression, Self::Usage, Self::NoVerdict, Self::Failure].into_iter().find(|exit| exit.code() == code)
    }

    /// The one that tells more, of two parts of one thing: a regression or a failed verification, a failure, a wrong command
    /// line, what could hardly be measured.
    pub fn worse(self, other: Self) -> Self {
        let worst_first = [Self::Regression, Self::Failure, Self::Usage, Self::NoVerdict];
        worst_first.into_iter().find(|exit| self == *exit || other == *exit).unwrap_or(Self::Holds)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_part_that_holds_hides_nothing_of_an_earlier_one() {
        let all = |exits: &[Exit]| exits.iter().copied().fold(Exit::Holds, Exit::worse);
        assert_eq!(all(&[Exit::NoVerdict, Exit::Holds]), Exit::NoVerdict);
        assert_eq!(all(&[Exit::Failure, Exit::NoVerdict]), Exit::Failure);
        assert_eq!(all(&[Exit::Holds, Exit::Regression, Exit::Failure]), Exit::Regression);
        assert_eq!(all(&[Exit::Holds]), Exit::Holds);
    }
}
