//! What a worker is asked to measure: a plan with its machine code.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::plan::KernelPlan;

/// One kernel at one point, compiled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What it is and what it needs.
    pub plan: KernelPlan,
    /// The kernel's machine code, a CUBIN.
    pub cubin: Bytes,
    /// That of its reference, where the plan has one.
    pub reference_cubin: Option<Bytes>,
    /// How it is timed.
    pub timing: Timing,
}

/// How a kernel is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// What the second-level cache holds before a launch.
    pub cache: Cache,
    /// The clock in MHz to which the device is locked, where it is.
    pub locked_mhz: Option<u32>,
}

/// What the second-level cache holds before a timed launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    /// Nothing of the kernel's: the first use of fresh data.
    #[default]
    Cold,
    /// What the launch before left in it.
    Hot,
}

impl Cache {
    /// What the names of metrics end with. What is measured with warm caches has names of its own, so that it never meets
    /// what was measured with cold ones.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Cold => "",
            Self::Hot => "_hot",
        }
    }
}

/// Bytes, written as hexadecimal digits where they travel as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
        let text: String = self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|four| four as u8);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        bytes.filter(|_| rest.is_empty()).map(Self).ok_or_else(|| serde::de::Error::custom("not pairs of hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_text() {
        let bytes = Bytes((0..=255).collect());
        let text = serde_json::to_string(&bytes).unwrap();
        assert_eq!(serde_json::from_str::<Bytes>(&text).unwrap(), bytes);
        assert!(serde_json::from_str::<Bytes>("\"0g\"").is_err());
        assert!(serde_json::from_str::<Bytes>("\"012\"").is_err());
    }
}
