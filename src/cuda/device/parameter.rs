//! A kernel's argument as the bytes that the driver copies.

use super::Address;
use crate::cuda::plan::Scalar;

/// The largest argument: a tensor map.
const BYTES: usize = 128;

/// The bytes of one argument, aligned for every type that may be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(128))]
pub struct Parameter([u8; BYTES]);

impl Parameter {
    /// The address of a buffer.
    pub fn address(address: Address) -> Self {
        Self::of(&address.0.to_ne_bytes())
    }

    /// A number.
    pub fn scalar(scalar: Scalar) -> Self {
        match scalar {
            Scalar::I32(value) => Self::of(&value.to_ne_bytes()),
            Scalar::U32(value) => Self::of(&value.to_ne_bytes()),
            Scalar::I64(value) => Self::of(&value.to_ne_bytes()),
            Scalar::F32(value) => Self::of(&value.to_ne_bytes()),
            Scalar::F64(value) => Self::of(&value.to_ne_bytes()),
        }
    }

    /// A tensor map as the driver encoded it.
    pub fn tensor_map(words: [u64; BYTES / 8]) -> Self {
        let mut bytes = [0; BYTES];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        Self(bytes)
    }

    /// Nothing but zeros.
    pub(super) fn zero() -> Self {
        Self([0; BYTES])
    }

    /// How many bytes of it count.
    pub(super) const LARGEST: usize = BYTES;

    fn of(value: &[u8]) -> Self {
        let mut bytes = [0; BYTES];
        for (place, byte) in bytes.iter_mut().zip(value) {
            *place = *byte;
        }
        Self(bytes)
    }

    /// Where the driver reads it.
    pub(super) fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }

    /// The first eight bytes, as an address.
    #[cfg(test)]
    pub(in crate::cuda) fn as_address(&self) -> Address {
        Address(u64::from_ne_bytes(self.0[..8].try_into().unwrap()))
    }
}
