//! The limits of one testbed, from wherever they are known.

use super::{Gpu, Precision};
use crate::model::{BenchmarkName, Config, ObjectId};

/// What a roof limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Bytes per second between the chip and its memory.
    Memory,
    /// Operations per second in a precision.
    Compute(Precision),
}

/// Where a roof is known from; the greater wins.
#[derive(Debug, Clone, PartialEq)]
pub enum RoofSource {
    /// NVIDIA says so.
    Datasheet(&'static Gpu),
    /// A benchmark of this testbed reached it.
    Measured {
        /// The benchmark.
        benchmark: BenchmarkName,
        /// The point of it.
        config: Config,
        /// The commit that it was measured on.
        commit: ObjectId,
    },
    /// The user says so.
    Given,
}

impl RoofSource {
    fn rank(&self) -> u8 {
        match self {
            Self::Datasheet(_) => 0,
            Self::Measured { .. } => 1,
            Self::Given => 2,
        }
    }

    /// The word of the JSON contract.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Datasheet(_) => "datasheet",
            Self::Measured { .. } => "measured",
            Self::Given => "given",
        }
    }
}

/// One limit with its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Roof {
    /// What it limits.
    pub limit: Limit,
    /// Bytes or operations per second.
    pub rate: f64,
    /// Where it is known from.
    pub source: RoofSource,
}

/// Every known limit of a testbed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roofs {
    roofs: Vec<Roof>,
}

impl Roofs {
    /// The limits that a datasheet knows.
    pub fn of_datasheet(gpu: &'static Gpu) -> Self {
        let source = RoofSource::Datasheet(gpu);
        let memory = Roof { limit: Limit::Memory, rate: gpu.bandwidth(), source: source.clone() };
        let compute =
            gpu.rates().map(|(precision, rate)| Roof { limit: Limit::Compute(precision), rate, source: source.clone() });
        Self { roofs: std::iter::once(memory).chain(compute).collect() }
    }

    /// Adds a limit.
    pub fn add(&mut self, roof: Roof) {
        self.roofs.push(roof);
    }

    /// Adds limits.
    pub fn extend(&mut self, roofs: impl IntoIterator<Item = Roof>) {
        self.roofs.extend(roofs);
    }

    /// All of them: memory first, then by precision; of one limit the one that binds first.
    pub fn all(&self) -> Vec<&Roof> {
        let mut all: Vec<&Roof> = self.roofs.iter().collect();
        all.sort_by_key(|roof| (roof.limit, std::cmp::Reverse(roof.source.rank())));
        all
    }

    /// The roof that binds: given before measured before datasheet.
    pub fn binding(&self, limit: Limit) -> Option<&Roof> {
        self.roofs.iter().filter(|roof| roof.limit == limit).max_by_key(|roof| roof.source.rank())
    }

    /// Whether this roof binds.
    pub fn is_binding(&self, roof: &Roof) -> bool {
        self.binding(roof.limit) == Some(roof)
    }

    /// The highest binding compute roof: what a kernel of unknown precision is held against. Operands of eight bits are
    /// only taken where somebody says so.
    pub fn highest_compute(&self) -> Option<(Precision, &Roof)> {
        let usual = Precision::ALL.into_iter().filter(|precision| !matches!(precision, Precision::F8 | Precision::I8));
        let binding = usual.filter_map(|one| Some((one, self.binding(Limit::Compute(one))?)));
        binding.reduce(|best, next| if next.1.rate > best.1.rate { next } else { best })
    }

    /// Operations per byte from which a kernel of this precision can reach its compute roof.
    pub fn ridge(&self, precision: Precision) -> Option<f64> {
        Some(self.binding(Limit::Compute(precision))?.rate / self.binding(Limit::Memory)?.rate)
    }
}
