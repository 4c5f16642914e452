//! What one multiprocessor of an architecture does per clock: the one table of peak rates.
//!
//! A chip's peak is this times its multiprocessors times its clock. Nothing is told of an architecture that is not here:
//! Orin (compute capability 8.7) is missing, since its tensor cores are not those of its generation's other chips.

use super::Precision;
use Precision::{Bf16, F8, F16, F32, F64, F64Tensor, I8, Tf32};

/// Chips of one design.
#[derive(Debug, PartialEq)]
pub struct Architecture {
    /// Compute capabilities: 90 is 9.0.
    capabilities: &'static [u32],
    /// Operations per clock of one multiprocessor; a fused multiply-add is two, matrices are dense.
    per_clock: &'static [(Precision, u32)],
    /// The same for f16 and bf16 without tensor cores, two to an instruction.
    packed_half: u32,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Architecture {
    /// The architecture of a compute capability such as 90.
    pub fn of(compute_capability: u32) -> Option<&'static Self> {
        ARCHITECTURES.iter().find(|architecture| architecture.capabilities.contains(&compute_capability))
    }

    /// Operations per clock of one multiprocessor.
    pub fn flop_per_clock(&self, precision: Precision) -> Option<u32> {
        self.rates().find(|(known, _)| *known == precision).map(|(_, rate)| rate)
    }

    /// The same for f16 and bf16 without tensor cores.
    pub fn packed_half_per_clock(&self) -> u32 {
        self.packed_half
    }

    /// Every known rate.
    pub(super) fn rates(&self) -> impl Iterator<Item = (Precision, u32)> {
        self.per_clock.iter().copied()
    }
}

const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        capabilities: &[70],
        per_clock: &[(F64, 64), (F32, 128), (F16, 1024)],
        packed_half: 256,
        source: "NVIDIA Tesla V100 GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[75],
        per_clock: &[(F64, 4), (F32, 128), (F16, 1024), (I8, 2048)],
        packed_half: 256,
        source: "NVIDIA Turing GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[80],
        per_clock: &[(F64, 64), (F64Tensor, 128), (F32, 128), (Tf32, 1024), (F16, 2048), (Bf16, 2048), (I8, 4096)],
        packed_half: 512,
        source: "NVIDIA A100 Tensor Core GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[86],
        per_clock: &[(F64, 4), (F32, 256), (Tf32, 512), (F16, 1024), (Bf16, 1024), (I8, 2048)],
        packed_half: 256,
        source: "NVIDIA Ampere GA102 GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[89],
        per_clock: &[(F64, 4), (F32, 256), (Tf32, 512), (F16, 1024), (Bf16, 1024), (F8, 2048), (I8, 2048)],
        packed_half: 256,
        source: "NVIDIA Ada GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[90],
        per_clock: &[(F64, 128), (F64Tensor, 256), (F32, 256), (Tf32, 2048), (F16, 4096), (Bf16, 4096), (F8, 8192), (I8, 8192)],
        packed_half: 512,
        source: "NVIDIA H100 Tensor Core GPU Architecture whitepaper",
    },
    Architecture {
        capabilities: &[100, 103],
        per_clock: &[(F64, 128), (F64Tensor, 256), (F32, 256), (Tf32, 4096), (F16, 8192), (Bf16, 8192), (F8, 16384), (I8, 16384)],
        packed_half: 512,
        source: "NVIDIA Blackwell Architecture Technical Brief",
    },
    Architecture {
        capabilities: &[120, 121],
        per_clock: &[(F64, 4), (F32, 256), (Tf32, 512), (F16, 1024), (Bf16, 1024), (F8, 2048), (I8, 2048)],
        packed_half: 256,
        source: "NVIDIA RTX Blackwell GPU Architecture whitepaper",
    },
];
