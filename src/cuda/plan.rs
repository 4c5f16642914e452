//! A kernel at one point of its matrix, ready to be compiled and launched: no expression, no placeholder is left.

use serde::{Deserialize, Serialize};

use super::DType;

/// Everything that is needed to compile, launch, check and rate one kernel with one config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelPlan {
    /// What is compiled.
    pub program: Program,
    /// How it is launched.
    pub launch: Launch,
    /// In the order of the kernel's parameters.
    pub arguments: Vec<Argument>,
    /// What one launch has to do.
    pub work: Work,
    /// What the outputs are checked against; without one only the safety checks remain.
    pub reference: Option<Reference>,
    /// Whether two launches on the same inputs must give the same bits.
    pub deterministic: bool,
}

/// A translation unit for NVRTC and the entry point in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Program {
    /// The source's name in messages of the compiler, such as `kernels/softmax.cu`.
    pub name: String,
    /// CUDA C++.
    pub source: String,
    /// What its `#include "…"` lines find, besides CUDA's own headers.
    pub headers: Vec<Header>,
    /// The `extern "C"` function.
    pub entry: String,
    /// The language standard, such as `c++17`.
    pub standard: String,
    /// Further options, such as `--use_fast_math`.
    pub options: Vec<String>,
    /// Macros in order: tunables, the parameters of the config that are marked so, element types.
    pub defines: Vec<(String, String)>,
}

/// A file that sources include.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// As it stands in the `#include`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The shape of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Launch {
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads of a block in x, y, z.
    pub block: [u32; 3],
    /// Dynamic shared memory of a block, in bytes.
    pub shared_bytes: u32,
    /// Blocks of a cluster in x, y, z (from compute capability 9.0 on).
    pub cluster: Option<[u32; 3]>,
}

/// One parameter of the kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// The name in the manifest.
    pub name: String,
    /// What is passed.
    pub value: ArgumentValue,
}

/// What is passed for a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ArgumentValue {
    /// The address of device memory.
    Buffer(Buffer),
    /// A number by value.
    Scalar(Scalar),
    /// A tensor map by value (`const __grid_constant__ CUtensorMap`), over the buffer of another argument.
    TensorMap(TensorMap),
}

/// Device memory of a kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Buffer {
    /// Type of an element.
    pub dtype: DType,
    /// Extents, the last one contiguous. The product is the number of elements.
    pub shape: Vec<u64>,
    /// What is in it before a launch.
    pub fill: Fill,
    /// What the kernel does with it.
    pub role: Role,
}

impl Buffer {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.elements() * self.dtype.size()
    }
}

/// What a kernel does with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Reads it, and leaves it as it is: verified.
    Input,
    /// Writes every element: poisoned before, compared with the reference after.
    Output,
    /// Works in it; restored before every verified launch, never compared.
    Scratch,
}

/// What a buffer holds before a launch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Fill {
    /// Uniform in `[low, high)`; whole numbers for integer types.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Limit above.
        high: f64,
        /// Of the generator.
        seed: u64,
    },
    /// Normal with this mean and deviation; floating types only.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        deviation: f64,
        /// Of the generator.
        seed: u64,
    },
    /// All bits zero.
    Zeros,
    /// NaN in floating types, the pattern 0xA5 in others: what an output holds until it is written.
    Poison,
}

/// A number passed by value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// `int`.
    I32(i32),
    /// `unsigned int`.
    U32(u32),
    /// `long long`.
    I64(i64),
    /// `float`.
    F32(f32),
    /// `double`.
    F64(f64),
}

/// What `cuTensorMapEncodeTiled` is given: a tiled view of a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorMap {
    /// Name of the argument whose buffer it views.
    pub buffer: String,
    /// Extents in elements, fastest first.
    pub extents: Vec<u64>,
    /// Distances in bytes between elements of the second and further dimensions (one fewer than extents).
    pub strides: Vec<u64>,
    /// The tile in elements, fastest first.
    pub tile: Vec<u32>,
    /// How the tile lies in shared memory.
    pub swizzle: Swizzle,
}

/// Swizzle of a tile in shared memory, by its span in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Swizzle {
    /// As it is.
    None,
    /// 32 bytes.
    B32,
    /// 64 bytes.
    B64,
    /// 128 bytes.
    B128,
}

/// What one launch has to do, for throughput and the roofline; absent where the manifest does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Work {
    /// Floating-point operations.
    pub flop: Option<f64>,
    /// Element type of these operations: which peak rate holds.
    pub flop_dtype: Option<DType>,
    /// Whether they may run on tensor cores.
    pub tensor_cores: bool,
    /// Bytes that must move between the chip and its memory at least.
    pub bytes: Option<f64>,
}

impl Work {
    /// Operations for each byte, where both are declared.
    pub fn intensity(&self) -> Option<f64> {
        let intensity = self.flop? / self.bytes?;
        (intensity.is_finite() && intensity > 0.0).then_some(intensity)
    }
}

/// Another kernel, simple and of higher precision, that computes the expected outputs on the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// What is compiled.
    pub program: Program,
    /// How it is launched.
    pub launch: Launch,
    /// Names of the kernel's arguments that it takes, in its order. Outputs are buffers of its own.
    pub arguments: Vec<String>,
    /// Element type in which it writes the outputs; `None` is each output's own.
    pub output_dtype: Option<DType>,
    /// How close the outputs must be.
    pub tolerance: Tolerance,
}

/// How close an output must be to the reference. Both limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Largest ‖out − ref‖₂ / ‖ref‖₂ (relative Frobenius error).
    pub frobenius: f64,
    /// Largest |out − ref| of an element, in the unit of the output.
    pub largest: f64,
}
