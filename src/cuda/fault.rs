//! What verification finds wrong with a kernel.

use std::fmt;

use super::guarded::{Breach, Side};

/// Why a kernel's times may never be a baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// An output lies too far from the reference.
    Wrong { argument: String, frobenius: (f64, f64), largest: (f64, f64), index: u64, found: f64, expected: f64 },
    /// An output holds NaN where the reference does not: not written, or computed so.
    NotANumber { argument: String, count: u64, of: u64, first: u64 },
    /// The reference computes NaN or infinity, with which nothing can be compared.
    BadReference { argument: String, index: u64 },
    /// An input is not what it was.
    InputChanged { argument: String, by_reference: bool },
    /// It wrote outside a buffer.
    WroteOutside { argument: String, breach: Breach },
    /// Its result depends on memory outside its buffers.
    ReadOutside,
    /// Two launches on the same inputs gave different bits.
    NotRepeatable { argument: String },
    /// After the timed launches an output is not what the same inputs gave before.
    OtherWhenTimed { argument: String },
    /// It needs less time than the device can.
    TooFast { argument: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong { argument, frobenius, largest, index, found, expected } => write!(
                f,
                "wrong result: `{argument}` lies {:.2e} from the reference (relative Frobenius error, {:.2e} allowed), and {:.2e} \
                 at most ({:.2e} allowed), at element {index}: {found:.6e} for {expected:.6e}",
                frobenius.0, frobenius.1, largest.0, largest.1
            ),
            Self::NotANumber { argument, count, of, first } => write!(
                f,
                "`{argument}` is NaN in {count} of {of} elements where the reference is not, first at {first}: not written, or \
                 computed so"
            ),
            Self::BadReference { argument, index } => write!(
                f,
                "the reference is NaN or infinite at element {index} of `{argument}`: nothing can be compared with it; choose \
                 other inputs or a wider type"
            ),
            Self::InputChanged { argument, by_reference: false } => write!(f, "the kernel changed its input `{argument}`"),
            Self::InputChanged { argument, by_reference: true } => write!(f, "the reference changed the input `{argument}`"),
            Self::WroteOutside { argument, breach } => {
                let side = match breach.side {
                    Side::Before => "before the first",
                    Side::Behind => "behind the last",
                };
                write!(f, "the kernel wrote outside `{argument}`: byte {} {side} of its own", breach.distance)
            }
            Self::ReadOutside => f.write_str("the result depends on memory outside the kernel's buffers: it reads past an end"),
            Self::NotRepeatable { argument } => write!(
                f,
                "two launches on the same inputs gave different bits in `{argument}`; a kernel that may do so says \
                 `deterministic = false`"
            ),
            Self::OtherWhenTimed { argument } => write!(
                f,
                "the timed launches did not compute `{argument}` as the verified ones did: is work skipped when inputs repeat?"
            ),
            Self::TooFast { argument } => f.write_str(argument),
        }
    }
}
