//! Machine code of NVIDIA's GPUs, read and never run: which kernels a file holds, and what the compiler made of each.
//!
//! A CUBIN is an ELF file for one architecture. Compilers put several of them, compressed or not, into a fatbin, and fatbins into
//! the objects, libraries and programs of the host; [`each_cubin`] finds them in all of these. Pure: bytes go in, and whatever they
//! are, what is kept of them is no larger than they are, or than [`MAX_UNPACKED_BYTES`].
//!
//! NVIDIA publishes neither format. What is read here was compared with what nvcc and ptxas 11.8, 12.8 and 13.5 write, and with what
//! `cuobjdump -res-usage` and `nvdisasm` say of it: tests/data/import/README.md.

mod code;
mod container;
mod elf;
#[cfg(test)]
mod tests;

pub use code::{hex, instructions, local_accesses};
pub use container::{MAX_UNPACKED_BYTES, Skipped, each_cubin, is_binary};
pub use elf::{Cubin, Kernel, Resources, architecture_number};

/// Why a file's machine code cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CubinError {
    /// Something in it is not as compilers write it.
    #[error("the file is damaged, or of a kind that is not known here: {0}")]
    Damaged(String),
    /// What is packed in it is larger than anything that is read.
    #[error("its machine code unpacks to more than {} MiB, the most that is read", MAX_UNPACKED_BYTES >> 20)]
    TooLarge,
}

impl CubinError {
    fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(why.to_string())
    }
}
