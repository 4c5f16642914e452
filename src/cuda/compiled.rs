//! What the compiler gives: machine code for one architecture, and what it says about it.

use std::fmt;
use std::str::FromStr;

/// A real architecture, such as `sm_90a`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arch {
    /// 75 for `sm_75`, 100 for `sm_100`.
    pub number: u32,
    /// Whether it is the architecture-specific variant (`sm_90a`), whose code runs on that very chip only.
    pub specific: bool,
}

/// A word that names no architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no architecture; they look like sm_80 or sm_90a")]
pub struct ParseArchError(String);

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("sm_{}{}", self.number, if self.specific { "a" } else { "" }))
    }
}

impl FromStr for Arch {
    type Err = ParseArchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseArchError(text.to_owned());
        let digits = text.strip_prefix("sm_").ok_or_else(error)?;
        let (digits, specific) = digits.strip_suffix('a').map_or((digits, false), |rest| (rest, true));
        let well_formed = (2..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| well_formed).ok_or_else(error)?;
        Ok(Self { number, specific })
    }
}

/// A kernel as machine code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// For which architecture.
    pub arch: Arch,
    /// The CUBIN, an ELF file.
    pub cubin: Vec<u8>,
    /// The name of the entry point in it.
    pub entry: String,
    /// What the compiler printed: warnings and resource usage.
    pub log: String,
    /// What is known of the entry point without running it.
    pub code: MachineCode,
}

/// What is known of an entry point without running it: deterministic, so a CI runner without a GPU can gate on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineCode {
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes stored to local memory because registers ran out.
    pub spill_stores: u32,
    /// Bytes loaded from local memory because registers ran out.
    pub spill_loads: u32,
    /// Stack frame of a thread, in bytes.
    pub stack: u32,
    /// Static shared memory of a block, in bytes.
    pub shared_bytes: u32,
    /// Named barriers of a block.
    pub barriers: u32,
    /// SASS instructions, padding not counted where it can be told.
    pub instructions: u32,
    /// Bytes of the CUBIN that belong to the entry point: code, constants, what the loader is told. Other kernels of the
    /// same source do not count.
    pub cubin_bytes: u64,
    /// Hash of the instructions, constants and resources of the entry point, the same whatever the paths and the time.
    pub hash: String,
}
