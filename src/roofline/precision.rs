//! What arithmetic is done in.

use std::fmt;
use std::str::FromStr;

/// A type of operands, and the units that work on it: each has a peak rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// Binary64 on CUDA cores.
    F64,
    /// Binary64 on tensor cores.
    F64Tensor,
    /// Binary32 on CUDA cores.
    F32,
    /// Binary32 rounded to 19 bits, on tensor cores.
    Tf32,
    /// Binary16 on tensor cores, sums in binary32.
    F16,
    /// The upper half of a binary32 on tensor cores, sums in binary32.
    Bf16,
    /// Eight bits (e4m3, e5m2) on tensor cores.
    F8,
    /// Integers of eight bits on tensor cores.
    I8,
}

/// A word that names no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no precision; there are f64, f64_tensor, f32, tf32, f16, bf16, f8 and i8")]
pub struct ParsePrecisionError(String);

impl Precision {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::F64, Self::F64Tensor, Self::F32, Self::Tf32, Self::F16, Self::Bf16, Self::F8, Self::I8];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F64Tensor => "f64_tensor",
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F8 => "f8",
            Self::I8 => "i8",
        }
    }

    /// The same operands on tensor cores, where they have such.
    pub fn on_tensor_cores(self) -> Self {
        match self {
            Self::F64 => Self::F64Tensor,
            Self::F32 => Self::Tf32,
            other => other,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Precision {
    type Err = ParsePrecisionError;

    /// Takes the spellings of CUDA, PyTorch and NumPy, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "f64" | "fp64" | "float64" | "double" => Self::F64,
            "f64_tensor" => Self::F64Tensor,
            "f32" | "fp32" | "float32" | "float" => Self::F32,
            "tf32" => Self::Tf32,
            "f16" | "fp16" | "float16" | "half" => Self::F16,
            "bf16" | "bfloat16" => Self::Bf16,
            "f8" | "fp8" | "float8" | "e4m3" | "e5m2" => Self::F8,
            "i8" | "int8" | "u8" | "uint8" => Self::I8,
            _ => return Err(ParsePrecisionError(text.chars().take(40).collect())),
        })
    }
}
