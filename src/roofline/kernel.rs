//! A kernel under its roofs.

use super::{Limit, Precision, Roofs};
use crate::model::{BenchmarkName, Config};

/// Where a kernel's work is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkSource {
    /// Declared: operations and bytes that it has to do at least, over the measured time.
    Declared,
    /// Bytes, and operations where there are such counters, that the profiler counted.
    Counted,
}

impl WorkSource {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Counted => "counted",
        }
    }
}

/// A measured kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// What it computes in, where that is known.
    pub precision: Option<Precision>,
    /// Operations per second; `None` where nothing counts them (a copy).
    pub flop_rate: Option<f64>,
    /// Bytes per second; `None` where nothing says.
    pub byte_rate: Option<f64>,
    /// Where both are known from.
    pub work: WorkSource,
    /// Whether somebody who may sign vouches for what was measured of it, where that is asked for (`ratchet.trust`).
    pub is_trusted: bool,
}

impl Kernel {
    /// Operations for each byte.
    pub fn intensity(&self) -> Option<f64> {
        let intensity = self.flop_rate? / self.byte_rate?;
        (intensity.is_finite() && intensity > 0.0).then_some(intensity)
    }

    /// How it stands under these roofs; `None` where no roof of its kind is known. A kernel of unknown precision is
    /// held against the highest compute roof.
    pub fn standing(&self, roofs: &Roofs) -> Option<Standing> {
        let memory = roofs.binding(Limit::Memory).map(|roof| roof.rate);
        let compute = match self.precision {
            Some(precision) => roofs.binding(Limit::Compute(precision)).map(|roof| (precision, roof.rate)),
            None => roofs.highest_compute().map(|(precision, roof)| (precision, roof.rate)),
        };
        match (self.flop_rate, self.intensity()) {
            (Some(rate), Some(intensity)) => {
                let slope = memory.map(|bandwidth| intensity * bandwidth);
                let (bound, attainable) = match (slope, compute) {
                    (Some(slope), Some((_, peak))) if slope < peak => (Bound::Memory, slope),
                    (_, Some((precision, peak))) => (Bound::Compute(precision), peak),
                    (Some(slope), None) => (Bound::Memory, slope),
                    (None, None) => return None,
                };
                Some(Standing { bound, rate, attainable, is_certain: slope.is_some() && compute.is_some() })
            }
            (Some(rate), None) => {
                let (precision, attainable) = compute?;
                Some(Standing { bound: Bound::Compute(precision), rate, attainable, is_certain: false })
            }
            (None, _) => {
                let (rate, attainable) = self.byte_rate.zip(memory)?;
                Some(Standing { bound: Bound::Memory, rate, attainable, is_certain: true })
            }
        }
    }
}

/// Which roof holds a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// The bandwidth of the memory.
    Memory,
    /// The arithmetic in this precision.
    Compute(Precision),
}

/// How far a kernel is below its roof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The roof.
    pub bound: Bound,
    /// What the kernel reaches: operations per second, or bytes per second where it does no operations.
    pub rate: f64,
    /// What the roof allows, in the same unit.
    pub attainable: f64,
    /// Whether both roofs are known: with one alone the other might hold it.
    pub is_certain: bool,
}

impl Standing {
    /// The share of the roof that it reaches, in percent; more than 100 means that its work or a roof is wrong.
    pub fn percent(&self) -> f64 {
        100.0 * self.rate / self.attainable
    }

    /// How many times faster it could be at best.
    pub fn head_room(&self) -> f64 {
        self.attainable / self.rate
    }
}
