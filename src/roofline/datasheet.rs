//! What NVIDIA's datasheets and whitepapers say: peak bandwidth and peak dense rates.
//!
//! Datasheets print tensor rates with 2:4 sparsity (marked with an asterisk); here stand the dense ones, which are half
//! of them. Rates of f16 and bf16 are those with sums in binary32. All are at the boost clock, which a chip at its power
//! limit does not hold: a measured roof tells more.

use super::Precision;

/// One chip in one form.
#[derive(Debug, PartialEq)]
pub struct Gpu {
    /// What it is called.
    pub name: &'static str,
    /// Words that the name of a device has, all of them, in lower case.
    words: &'static [&'static str],
    /// Words that it does not have.
    without: &'static [&'static str],
    /// Peak bandwidth of the device memory in GB/s.
    gigabytes: f64,
    /// Peak dense rates in TFLOP/s.
    teraflops: &'static [(Precision, f64)],
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Gpu {
    /// Peak bandwidth in bytes per second.
    pub fn bandwidth(&self) -> f64 {
        self.gigabytes * 1e9
    }

    /// Peak dense rates in operations per second.
    pub fn rates(&self) -> impl Iterator<Item = (Precision, f64)> {
        self.teraflops.iter().map(|(precision, rate)| (*precision, rate * 1e12))
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

use Precision::{Bf16, F8, F16, F32, F64, F64Tensor, I8, Tf32};

const HOPPER_SXM: &[(Precision, f64)] =
    &[(F64, 34.0), (F64Tensor, 67.0), (F32, 67.0), (Tf32, 494.7), (F16, 989.4), (Bf16, 989.4), (F8, 1978.9), (I8, 1978.9)];
const HOPPER_NVL: &[(Precision, f64)] =
    &[(F64, 30.0), (F64Tensor, 60.0), (F32, 60.0), (Tf32, 417.5), (F16, 835.5), (Bf16, 835.5), (F8, 1670.5), (I8, 1670.5)];
const A100: &[(Precision, f64)] =
    &[(F64, 9.7), (F64Tensor, 19.5), (F32, 19.5), (Tf32, 156.0), (F16, 312.0), (Bf16, 312.0), (I8, 624.0)];

const A100_SHEET: &str = "NVIDIA A100 Tensor Core GPU datasheet";
const H100_SHEET: &str = "NVIDIA H100 Tensor Core GPU datasheet";
const H200_SHEET: &str = "NVIDIA H200 Tensor Core GPU datasheet";
const ADA_PAPER: &str = "NVIDIA Ada GPU Architecture whitepaper";

/// The chips that are known.
pub const GPUS: &[Gpu] = &[
    Gpu {
        name: "T4",
        words: &["t4"],
        without: &[],
        gigabytes: 320.0,
        teraflops: &[(F32, 8.1), (F16, 65.0), (I8, 130.0)],
        source: "NVIDIA Turing GPU Architecture whitepaper",
    },
    Gpu {
        name: "V100 SXM2",
        words: &["v100", "sxm2"],
        without: &[],
        gigabytes: 900.0,
        teraflops: &[(F64, 7.8), (F32, 15.7), (F16, 125.0)],
        source: "NVIDIA V100 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A100 SXM 40GB",
        words: &["a100", "sxm4", "40gb"],
        without: &[],
        gigabytes: 1555.0,
        teraflops: A100,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 SXM 80GB",
        words: &["a100", "sxm4", "80gb"],
        without: &[],
        gigabytes: 2039.0,
        teraflops: A100,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 PCIe 40GB",
        words: &["a100", "pcie", "40gb"],
        without: &[],
        gigabytes: 1555.0,
        teraflops: A100,
        source: A100_SHEET,
    },
    Gpu {
        name: "A100 PCIe 80GB",
        words: &["a100", "pcie", "80gb"],
        without: &[],
        gigabytes: 1935.0,
        teraflops: A100,
        source: A100_SHEET,
    },
    Gpu {
        name: "A10",
        words: &["a10"],
        without: &[],
        gigabytes: 600.0,
        teraflops: &[(F32, 31.2), (Tf32, 62.5), (F16, 125.0), (Bf16, 125.0), (I8, 250.0)],
        source: "NVIDIA A10 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A30",
        words: &["a30"],
        without: &[],
        gigabytes: 933.0,
        teraflops: &[(F64, 5.2), (F64Tensor, 10.3), (F32, 10.3), (Tf32, 82.0), (F16, 165.0), (Bf16, 165.0), (I8, 330.0)],
        source: "NVIDIA A30 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "A40",
        words: &["a40"],
        without: &[],
        gigabytes: 696.0,
        teraflops: &[(F32, 37.4), (Tf32, 74.8), (F16, 149.7), (Bf16, 149.7), (I8, 299.3)],
        source: "NVIDIA A40 datasheet",
    },
    Gpu {
        name: "RTX A6000",
        words: &["rtx", "a6000"],
        without: &[],
        gigabytes: 768.0,
        teraflops: &[(F32, 38.7), (Tf32, 77.4), (F16, 154.8), (Bf16, 154.8), (I8, 309.7)],
        source: "NVIDIA Ampere GA102 GPU Architecture whitepaper",
    },
    Gpu {
        name: "GeForce RTX 3090",
        words: &["rtx", "3090"],
        without: &["ti"],
        gigabytes: 936.0,
        teraflops: &[(F32, 35.6), (Tf32, 35.6), (F16, 71.0), (Bf16, 71.0), (I8, 284.0)],
        source: "NVIDIA Ampere GA102 GPU Architecture whitepaper",
    },
    Gpu {
        name: "L4",
        words: &["l4"],
        without: &[],
        gigabytes: 300.0,
        teraflops: &[(F32, 30.3), (Tf32, 60.0), (F16, 121.0), (Bf16, 121.0), (F8, 242.5), (I8, 242.5)],
        source: "NVIDIA L4 Tensor Core GPU datasheet",
    },
    Gpu {
        name: "L40",
        words: &["l40"],
        without: &[],
        gigabytes: 864.0,
        teraflops: &[(F32, 90.5), (Tf32, 90.5), (F16, 181.0), (Bf16, 181.0), (F8, 362.0), (I8, 362.0)],
        source: "NVIDIA L40 datasheet",
    },
    Gpu {
        name: "L40S",
        words: &["l40s"],
        without: &[],
        gigabytes: 864.0,
        teraflops: &[(F32, 91.6), (Tf32, 183.0), (F16, 362.0), (Bf16, 362.0), (F8, 733.0), (I8, 733.0)],
        source: "NVIDIA L40S datasheet",
    },
    Gpu {
        name: "RTX 6000 Ada",
        words: &["rtx", "6000", "ada"],
        without: &[],
        gigabytes: 960.0,
        teraflops: &[(F32, 91.1), (Tf32, 182.1), (F16, 364.2), (Bf16, 364.2), (F8, 728.5), (I8, 728.5)],
        source: ADA_PAPER,
    },
    Gpu {
        name: "GeForce RTX 4090",
        words: &["rtx", "4090"],
        without: &["d"],
        gigabytes: 1008.0,
        teraflops: &[(F32, 82.6), (Tf32, 82.6), (F16, 165.2), (Bf16, 165.2), (F8, 330.3), (I8, 660.6)],
        source: ADA_PAPER,
    },
    Gpu {
        name: "H100 SXM",
        words: &["h100", "hbm3"],
        without: &["nvl", "pcie"],
        gigabytes: 3350.0,
        teraflops: HOPPER_SXM,
        source: H100_SHEET,
    },
    Gpu {
        name: "H100 PCIe",
        words: &["h100", "pcie"],
        without: &[],
        gigabytes: 2000.0,
        teraflops: &[
            (F64, 26.0),
            (F64Tensor, 51.0),
            (F32, 51.0),
            (Tf32, 378.0),
            (F16, 756.5),
            (Bf16, 756.5),
            (F8, 1513.0),
            (I8, 1513.0),
        ],
        source: H100_SHEET,
    },
    Gpu { name: "H100 NVL", words: &["h100", "nvl"], without: &[], gigabytes: 3900.0, teraflops: HOPPER_NVL, source: H100_SHEET },
    Gpu { name: "H200 SXM", words: &["h200"], without: &["nvl"], gigabytes: 4800.0, teraflops: HOPPER_SXM, source: H200_SHEET },
    Gpu { name: "H200 NVL", words: &["h200", "nvl"], without: &[], gigabytes: 4800.0, teraflops: HOPPER_NVL, source: H200_SHEET },
];
