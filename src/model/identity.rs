//! Names of things: git object ids and the unique ids of note lines.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

/// A git object id of either hash: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// The id that names nothing, as git writes it: twenty zero bytes.
    pub const ZERO: Self = Self { bytes: [0; 32], len: 20 };

    /// Takes 20 or 32 raw bytes.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, len: raw.len() as u8 })
    }

    /// The raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The first `digits` hexadecimal digits, for people.
    pub fn short(&self, digits: usize) -> String {
        let mut hex = self.to_string();
        hex.truncate(digits);
        hex
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = ParseIdError;

    /// Parses 40 or 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused =
            || ParseIdError { text: text.chars().take(80).collect(), expected: "a git object id (40 or 64 hexadecimal digits)" };
        let digits = text.as_bytes();
        if digits.len() != 40 && digits.len() != 64 {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0]).zip(hex_digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or_else(refused)?;
        }
        Ok(Self { bytes, len: (digits.len() / 2) as u8 })
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// The unique id of one line of a note: a ULID, so that lines sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(ulid::Ulid);

impl LineId {
    /// An id from the milliseconds since 1970 and 80 random bits. The caller owns clock and randomness.
    pub fn from_parts(timestamp_ms: u64, random: u128) -> Self {
        Self(ulid::Ulid::from_parts(timestamp_ms, random))
    }

    /// The id as a number, for compact storage; [`LineId::from_number`] turns it back.
    pub fn to_number(self) -> u128 {
        self.0.into()
    }

    /// The id that [`LineId::to_number`] gave.
    pub fn from_number(number: u128) -> Self {
        Self(number.into())
    }

    /// The id that follows this one within the same millisecond: a batch of lines costs one random number and
    /// its ids share a prefix, which packs well. `None` once the 80 bits are used up.
    pub fn next(self) -> Option<Self> {
        self.0.increment().ok().map(Self)
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LineId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ulid::Ulid::from_string(text).map(Self).map_err(|_| ParseIdError {
            text: text.chars().take(80).collect(),
            expected: "a ULID (26 characters of Crockford's base 32)",
        })
    }
}
