//! What NVIDIA's datasheets say of chips: multiprocessors, clocks, bandwidth. Their peak rates follow from the architecture.
//!
//! Rates are dense: datasheets print those of tensor cores with 2:4 sparsity, too, which are twice as high. Rates of f16 and
//! bf16 are those with sums in binary32. All are at the boost clock, which a chip at its power limit does not hold: a
//! measured roof tells more.

use super::{Architecture, Precision};
use Precision::{Bf16, F8, F16, F32, F64, F64Tensor, I8, Tf32};

/// One chip in one form.
#[derive(Debug, PartialEq)]
pub struct Gpu {
    /// What it is called.
    pub name: &'static str,
    /// Words that the name of a device has, all of them, in lower case.
    words: &'static [&'static str],
    /// Words that it does not have.
    without: &'static [&'static str],
    compute_capability: u32,
    multiprocessors: u32,
    /// Boost clock.
    mhz: u32,
    /// That of tensor cores below 64 bits, where the datasheet's rates tell another.
    tensor_mhz: Option<u32>,
    /// What runs at half the rate of its architecture: sums in binary32, on chips for desktops.
    halved: &'static [Precision],
    /// Peak bandwidth of the device memory in GB/s.
    gigabytes: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Gpu {
    /// Its compute capability: 90 is 9.0.
    pub fn compute_capability(&self) -> u32 {
        self.compute_capability
    }

    /// Peak bandwidth in bytes per second.
    pub fn bandwidth(&self) -> f64 {
        self.gigabytes * 1e9
    }

    /// Peak dense rates in operations per second.
    pub fn rates(&self) -> impl Iterator<Item = (Precision, f64)> {
        let per_clock = Architecture::of(self.compute_capability).into_iter().flat_map(Architecture::rates);
        per_clock.map(|(precision, flop)| {
            let tensor_mhz = self.tensor_mhz.filter(|_| !matches!(precision, F64 | F64Tensor | F32));
            let mhz = tensor_mhz.unwrap_or(self.mhz);
            let share = if self.halved.contains(&precision) { 0.5 } else { 1.0 };
            (precision, share * f64::from(flop) * f64::from(self.multiprocessors) * f64::from(mhz) * 1e6)
        })
    }

    /// The chip that a device name or a testbed's key speaks of, such as `NVIDIA A100-SXM4-80GB`. A slice of a chip
    /// (MIG) and a laptop's variant are no such chip.
    pub fn of(name: &str) -> Option<&'static Self> {
        let lower = name.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.iter().any(|word| matches!(*word, "mig" | "laptop" | "mobile" | "vgpu" | "grid")) {
            return None;
        }
        let fits = |gpu: &&Self| {
            gpu.words.iter().all(|word| words.contains(word)) && !gpu.without.iter().any(|word| words.contains(word))
        };
        GPUS.iter().filter(fits).max_by_key(|gpu| gpu.words.len())
    }
}

const A100_SHEET: &str = "NVIDIA A100 Tensor Core GPU datasheet";
const H100_SHEET: &str = "NVIDIA H100 Tensor Core GPU datasheet";
const H200_SHEET: &str = "NVIDIA H200 Tensor Core GPU datasheet";
const GA102_PAPER: &str = "NVIDIA Ampere GA102 GPU Architecture whitepaper";
const ADA_PAPER: &str = "NVIDIA Ada GPU Architecture whitepaper";

/// The chips that are known.
pub const GPUS: &[Gpu] = &[
    Gpu {
        name: "T4",
        words: &["t4"],
        without: &[],
        compute_capability: 75,
        multiprocessors: 40,
        mhz: 1590,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 320.0,
        source: "NVIDIA T4 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "V100 SXM2",
        words: &["v100", "sxm2"],
        without: &[],
        compute_capability: 70,
        multiprocessors: 80,
        mhz: 1530,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 900.0,
        source: "NVIDIA V100 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A100 SXM 40GB",
        words: &["a100", "sxm4", "40gb"],
        without: &[],
        compute_capability: 80,
        multiprocessors: 108,
        mhz: 1410,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 1555.0,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 SXM 80GB",
        words: &["a100", "sxm4", "80gb"],
        without: &[],
        compute_capability: 80,
        multiprocessors: 108,
        mhz: 1410,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 2039.0,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 PCIe 40GB",
        words: &["a100", "pcie", "40gb"],
        without: &[],
        compute_capability: 80,
        multiprocessors: 108,
        mhz: 1410,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 1555.0,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 PCIe 80GB",
        words: &["a100", "pcie", "80gb"],
        without: &[],
        compute_capability: 80,
        multiprocessors: 108,
        mhz: 1410,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 1935.0,
        source: A100_SHEET,
    },
    Gpu {
        name: "A10",
        words: &["a10"],
        without: &[],
        compute_capability: 86,
        multiprocessors: 72,
        mhz: 1695,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 600.0,
        source: "NVIDIA A10 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A30",
        words: &["a30"],
        without: &[],
        compute_capability: 80,
        multiprocessors: 56,
        mhz: 1440,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 933.0,
        source: "NVIDIA A30 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A40",
        words: &["a40"],
        without: &[],
        compute_capability: 86,
        multiprocessors: 84,
        mhz: 1740,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 696.0,
        source: "NVIDIA A40 datasheet",
    },
    Gpu {
        name: "RTX A6000",
        words: &["rtx", "a6000"],
        without: &[],
        compute_capability: 86,
        multiprocessors: 84,
        mhz: 1800,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 768.0,
        source: GA102_PAPER,
    },
    Gpu {
        name: "GeForce RTX 3090",
        words: &["rtx", "3090"],
        without: &["ti"],
        compute_capability: 86,
        multiprocessors: 82,
        mhz: 1695,
        tensor_mhz: None,
        halved: &[Tf32, F16, Bf16],
        gigabytes: 936.0,
        source: GA102_PAPER,
    },
    Gpu {
        name: "L4",
        words: &["l4"],
        without: &[],
        compute_capability: 89,
        multiprocessors: 58,
        mhz: 2040,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 300.0,
        source: "NVIDIA L4 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "L40",
        words: &["l40"],
        without: &[],
        compute_capability: 89,
        multiprocessors: 142,
        mhz: 2490,
        tensor_mhz: None,
        halved: &[Tf32, F16, Bf16, F8, I8],
        gigabytes: 864.0,
        source: "NVIDIA L40 datasheet",
    },
    Gpu {
        name: "L40S",
        words: &["l40s"],
        without: &[],
        compute_capability: 89,
        multiprocessors: 142,
        mhz: 2520,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 864.0,
        source: "NVIDIA L40S datasheet",
    },
    Gpu {
        name: "RTX 6000 Ada",
        words: &["rtx", "6000", "ada"],
        without: &[],
        compute_capability: 89,
        multiprocessors: 142,
        mhz: 2505,
        tensor_mhz: None,
        halved: &[],
        gigabytes: 960.0,
        source: ADA_PAPER,
    },
    Gpu {
        name: "GeForce RTX 4090",
        words: &["rtx", "4090"],
        without: &["d"],
        compute_capability: 89,
        multiprocessors: 128,
        mhz: 2520,
        tensor_mhz: None,
        halved: &[Tf32, F16, Bf16, F8],
        gigabytes: 1008.0,
        source: ADA_PAPER,
    },
    Gpu {
        name: "H100 SXM",
        words: &["h100", "hbm3"],
        without: &["nvl", "pcie"],
        compute_capability: 90,
        multiprocessors: 132,
        mhz: 1980,
        tensor_mhz: Some(1830),
        halved: &[],
        gigabytes: 3350.0,
        source: H100_SHEET,
    },
    Gpu {
        name: "H100 PCIe",
        words: &["h100", "pcie"],
        without: &[],
        compute_capability: 90,
        multiprocessors: 114,
        mhz: 1755,
        tensor_mhz: Some(1620),
        halved: &[],
        gigabytes: 2000.0,
        source: H100_SHEET,
    },
    Gpu {
        name: "H100 NVL",
        words: &["h100", "nvl"],
        without: &[],
        compute_capability: 90,
        multiprocessors: 132,
        mhz: 1785,
        tensor_mhz: Some(1545),
        halved: &[],
        gigabytes: 3900.0,
        source: H100_SHEET,
    },
    Gpu {
        name: "H200 SXM",
        words: &["h200"],
        without: &["nvl"],
        compute_capability: 90,
        multiprocessors: 132,
        mhz: 1980,
        tensor_mhz: Some(1830),
        halved: &[],
        gigabytes: 4800.0,
        source: H200_SHEET,
    },
    Gpu {
        name: "H200 NVL",
        words: &["h200", "nvl"],
        without: &[],
        compute_capability: 90,
        multiprocessors: 132,
        mhz: 1785,
        tensor_mhz: Some(1545),
        halved: &[],
        gigabytes: 4800.0,
        source: H200_SHEET,
    },
];
