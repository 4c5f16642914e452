//! Units: every value is stored in a base unit, read and shown in a scaled one.

use std::fmt;
use std::str::FromStr;

use super::Direction;

/// A base unit. Values of records are always in base units: seconds, bytes, FLOP per second, …
///
/// Besides the physical units there are counts with a word of their own (`{tokens}` and `{tokens}/s`), written in
/// braces as the Unified Code for Units of Measure writes annotations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(std::borrow::Cow<'static, str>);

/// How a base unit is written, what may stand before it, and which way is usually better.
struct BaseUnit {
    symbol: &'static str,
    spellings: &'static [(&'static str, Scale)],
    direction: Option<Direction>,
}

/// The factor of a spelling, kept as a division where the factor is below one: 12.3 ms must become exactly 0.0123 s.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Times(f64),
    Per(f64),
}

impl Scale {
    fn to_base(self, value: f64) -> f64 {
        match self {
            Self::Times(factor) => value * factor,
            Self::Per(divisor) => value / divisor,
        }
    }
}

use Scale::{Per, Times};

const ONE: Scale = Times(1.0);
const KIB: f64 = 1024.0;

const BASE_UNITS: &[BaseUnit] = &[
    BaseUnit {
        symbol: "s",
        direction: Some(Direction::Lower),
        spellings: &[
            ("s", ONE),
            ("sec", ONE),
            ("secs", ONE),
            ("second", ONE),
            ("seconds", ONE),
            ("ms", Per(1e3)),
            ("msec", Per(1e3)),
            ("millisecond", Per(1e3)),
            ("milliseconds", Per(1e3)),
            ("us", Per(1e6)),
            ("µs", Per(1e6)),
            ("μs", Per(1e6)),
            ("usec", Per(1e6)),
            ("microsecond", Per(1e6)),
            ("microseconds", Per(1e6)),
            ("ns", Per(1e9)),
            ("nsec", Per(1e9)),
            ("nanosecond", Per(1e9)),
            ("nanoseconds", Per(1e9)),
            ("ps", Per(1e12)),
            ("min", Times(60.0)),
            ("minute", Times(60.0)),
            ("minutes", Times(60.0)),
            ("h", Times(3600.0)),
            ("hour", Times(3600.0)),
            ("hours", Times(3600.0)),
        ],
    },
    BaseUnit {
        symbol: "B",
        direction: Some(Direction::Lower),
        spellings: &[
            ("B", ONE),
            ("byte", ONE),
            ("bytes", ONE),
            ("kB", Times(1e3)),
            ("KB", Times(1e3)),
            ("MB", Times(1e6)),
            ("GB", Times(1e9)),
            ("TB", Times(1e12)),
            ("kilobyte", Times(1e3)),
            ("kilobytes", Times(1e3)),
            ("megabyte", Times(1e6)),
            ("megabytes", Times(1e6)),
            ("gigabyte", Times(1e9)),
            ("gigabytes", Times(1e9)),
            ("KiB", Times(KIB)),
            ("MiB", Times(KIB * KIB)),
            ("GiB", Times(KIB * KIB * KIB)),
            ("TiB", Times(KIB * KIB * KIB * KIB)),
        ],
    },
    BaseUnit {
        symbol: "B/s",
        direction: Some(Direction::Higher),
        spellings: &[
            ("B/s", ONE),
            ("bytes/s", ONE),
            ("kB/s", Times(1e3)),
            ("KB/s", Times(1e3)),
            ("MB/s", Times(1e6)),
            ("GB/s", Times(1e9)),
            ("TB/s", Times(1e12)),
            ("KiB/s", Times(KIB)),
            ("MiB/s", Times(KIB * KIB)),
            ("GiB/s", Times(KIB * KIB * KIB)),
        ],
    },
    BaseUnit {
        symbol: "FLOP/s",
        direction: Some(Direction::Higher),
        spellings: &[
            ("FLOP/s", ONE),
            ("FLOPS", ONE),
            ("kFLOP/s", Times(1e3)),
            ("MFLOP/s", Times(1e6)),
            ("MFLOPS", Times(1e6)),
            ("GFLOP/s", Times(1e9)),
            ("GFLOPS", Times(1e9)),
            ("TFLOP/s", Times(1e12)),
            ("TFLOPS", Times(1e12)),
            ("PFLOP/s", Times(1e15)),
        ],
    },
    BaseUnit {
        symbol: "FLOP",
        direction: Some(Direction::Lower),
        spellings: &[("FLOP", ONE), ("MFLOP", Times(1e6)), ("GFLOP", Times(1e9)), ("TFLOP", Times(1e12))],
    },
    BaseUnit { symbol: "FLOP/B", direction: Some(Direction::Higher), spellings: &[("FLOP/B", ONE)] },
    BaseUnit {
        symbol: "/s",
        direction: Some(Direction::Higher),
        spellings: &[
            ("/s", ONE),
            ("1/s", ONE),
            ("op/s", ONE),
            ("ops/s", ONE),
            ("ops/sec", ONE),
            ("iter/s", ONE),
            ("iter/sec", ONE),
            ("items/s", ONE),
            ("req/s", ONE),
            ("requests/s", ONE),
            ("kop/s", Times(1e3)),
            ("Mop/s", Times(1e6)),
            ("Gop/s", Times(1e9)),
            ("k/s", Times(1e3)),
            ("M/s", Times(1e6)),
            ("G/s", Times(1e9)),
        ],
    },
    BaseUnit {
        symbol: "Hz",
        direction: Some(Direction::Higher),
        spellings: &[("Hz", ONE), ("kHz", Times(1e3)), ("MHz", Times(1e6)), ("GHz", Times(1e9))],
    },
    BaseUnit { symbol: "J", direction: Some(Direction::Lower), spellings: &[("J", ONE), ("mJ", Per(1e3)), ("kJ", Times(1e3))] },
    BaseUnit { symbol: "W", direction: Some(Direction::Lower), spellings: &[("W", ONE), ("mW", Per(1e3)), ("kW", Times(1e3))] },
    BaseUnit { symbol: "°C", direction: Some(Direction::Lower), spellings: &[("°C", ONE), ("C", ONE)] },
    BaseUnit { symbol: "%", direction: None, spellings: &[("%", ONE), ("percent", ONE), ("Percent", ONE)] },
    BaseUnit {
        symbol: "1",
        direction: None,
        spellings: &[("1", ONE), ("", ONE), ("count", ONE), ("x", ONE), ("k", Times(1e3)), ("M", Times(1e6)), ("G", Times(1e9))],
    },
];

/// Why a text is not a number with a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// The number cannot be read or is not finite.
    #[error("`{0}` does not start with a finite number (a value looks like 12.3ms, 640 GB/s or 42)")]
    NotANumber(String),
    /// The unit is not known.
    #[error(
        "unknown unit `{0}`: time (ns, us, ms, s, min, h), bytes (B, kB, MB, GB, KiB, MiB, GiB), rates (B/s, GB/s, GFLOP/s, ops/s, Hz), J, W, °C, %, plain numbers, or a count with a word in braces ({{tokens}}, {{tokens}}/s)"
    )]
    UnknownUnit(String),
}

impl Unit {
    /// Seconds.
    pub const SECOND: Self = Self(std::borrow::Cow::Borrowed("s"));
    /// Bytes.
    pub const BYTE: Self = Self(std::borrow::Cow::Borrowed("B"));
    /// Bytes per second.
    pub const BYTE_PER_SECOND: Self = Self(std::borrow::Cow::Borrowed("B/s"));
    /// Floating-point operations per second.
    pub const FLOP_PER_SECOND: Self = Self(std::borrow::Cow::Borrowed("FLOP/s"));
    /// Operations for each byte.
    pub const FLOP_PER_BYTE: Self = Self(std::borrow::Cow::Borrowed("FLOP/B"));
    /// Events per second.
    pub const PER_SECOND: Self = Self(std::borrow::Cow::Borrowed("/s"));
    /// A plain number.
    pub const ONE: Self = Self(std::borrow::Cow::Borrowed("1"));
    /// Percent.
    pub const PERCENT: Self = Self(std::borrow::Cow::Borrowed("%"));

    /// The symbol as stored: `s`, `B`, `FLOP/s`, `1`, `{tokens}`, …
    pub fn symbol(&self) -> &str {
        &self.0
    }

    /// A base unit by its stored symbol; scaled spellings such as `ms` are not base units.
    pub fn from_symbol(symbol: &str) -> Result<Self, ParseQuantityError> {
        match spelling(symbol) {
            Some((unit, _)) if unit.0 == symbol => Ok(unit),
            _ => Err(ParseQuantityError::UnknownUnit(symbol.chars().take(40).collect())),
        }
    }

    /// Whether zero and negative values are impossible: no run takes no time.
    pub fn is_positive(&self) -> bool {
        self.0 == "s"
    }

    /// Whether negative values are impossible: sizes, rates and counts of energy.
    pub fn is_non_negative(&self) -> bool {
        !matches!(self.0.as_ref(), "1" | "%" | "°C")
    }

    /// The direction that metrics of this unit nearly always have; `None` for plain numbers and percentages.
    pub fn usual_direction(&self) -> Option<Direction> {
        match BASE_UNITS.iter().find(|base| base.symbol == self.0) {
            Some(base) => base.direction,
            None => self.0.ends_with("/s").then_some(Direction::Higher),
        }
    }

    /// The prefix that suits a value for people: the divisor and the unit to print, so that the number shown lies
    /// between 1 and 1000 where a prefix exists.
    pub fn scaled_for(&self, value: f64) -> (f64, String) {
        const TIME: &[(f64, &str)] = &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
        const BYTES: &[(f64, &str)] = &[(KIB * KIB * KIB, "GiB"), (KIB * KIB, "MiB"), (KIB, "KiB"), (1.0, "B")];
        const SI: &[(f64, &str)] = &[(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
        let magnitude = value.abs();
        let pick = |table: &[(f64, &str)]| {
            let fallback = if magnitude == 0.0 {
                (1.0, table.iter().find(|(f, _)| *f == 1.0).map_or("", |(_, p)| p).to_owned())
            } else {
                table.last().map_or((1.0, String::new()), |(f, p)| (*f, (*p).to_owned()))
            };
            table
                .iter()
                .find(|(factor, _)| magnitude >= *factor)
                .map_or(fallback, |(factor, prefix)| (*factor, (*prefix).to_owned()))
        };
        match self.0.as_ref() {
            "s" => pick(TIME),
            "B" => pick(BYTES),
            "B/s" | "FLOP/s" | "FLOP" | "Hz" => {
                let (factor, prefix) = pick(SI);
                (factor, format!("{prefix}{}", self.0))
            }
            "1" | "/s" => {
                let (factor, prefix) = if magnitude < 1e6 && self.0 == "1" { (1.0, String::new()) } else { pick(SI) };
                (factor, if self.0 == "1" { prefix } else { format!("{prefix}/s") })
            }
            other => (1.0, other.to_owned()),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn spelling(text: &str) -> Option<(Unit, Scale)> {
    let fixed = BASE_UNITS.iter().find_map(|base| {
        base.spellings.iter().find(|(name, _)| *name == text).map(|(_, scale)| (Unit(base.symbol.into()), *scale))
    });
    fixed.or_else(|| is_annotated_count(text).then(|| (Unit(text.to_owned().into()), ONE)))
}

/// `{word}` or `{word}/s`, the word of letters, digits, `-` and `_`.
fn is_annotated_count(text: &str) -> bool {
    let inner = text.strip_suffix("/s").unwrap_or(text).strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|word| {
        !word.is_empty() && word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    })
}

/// A number with its unit, already in the base unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The value in base units.
    pub value: f64,
    /// The base unit.
    pub unit: Unit,
}

impl Quantity {
    /// Converts `value` given in the unit spelled `unit` (such as `ms` or `GB/s`) to base units.
    pub fn new(value: f64, unit: &str) -> Result<Self, ParseQuantityError> {
        let unit = unit.trim();
        let (base, scale) = spelling(unit).ok_or_else(|| ParseQuantityError::UnknownUnit(unit.chars().take(40).collect()))?;
        Ok(Self { value: scale.to_base(value), unit: base })
    }
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    /// Parses `12.3ms`, `12.3 ms`, `1e-3s`, `640 GB/s`, `42`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let not_a_number = || ParseQuantityError::NotANumber(text.chars().take(40).collect());
        let (value, rest) = split_number(text).ok_or_else(not_a_number)?;
        if !value.is_finite() {
            return Err(not_a_number());
        }
        Self::new(value, rest)
    }
}

/// The longest prefix that reads as a number, and the rest.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    let mut end = text.find(|c: char| !numeric(c)).unwrap_or(text.len());
    loop {
        if let Ok(value) = text[..end].parse::<f64>() {
            return Some((value, &text[end..]));
        }
        end = text[..end].char_indices().next_back()?.0;
    }
}
