//! Units as Nsight Compute writes them, turned into base units of the model.

use crate::model::{Counter, Unit};

/// Prefixes; Nsight Compute counts thousands for bytes, too.
const PREFIXES: &[(&str, f64)] = &[
    ("", 1.0),
    ("K", 1e3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("m", 1e-3),
    ("u", 1e-6),
    ("µ", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantity {
    Time,
    Bytes,
    Cycles,
    Frequency,
    Percent,
    /// Instructions, warps, registers, blocks, sectors, …: a plain number.
    Count,
}

/// The value with its unit in base units. A unit that is not known counts something: a plain number.
pub(super) fn counter(value: f64, unit: &str) -> Counter {
    let unit = unit.trim();
    let (numerator, denominator) = unit.split_once('/').unwrap_or((unit, ""));
    let (scale, above) = quantity(numerator.trim());
    let (below_scale, below) = quantity(denominator.trim());
    let (value, base) = match (above, below) {
        (Quantity::Bytes, Quantity::Time) => (value * scale / below_scale, Unit::BYTE_PER_SECOND),
        (Quantity::Cycles, Quantity::Time) => (value * scale / below_scale, hertz()),
        (Quantity::Count, Quantity::Time) => (value * scale / below_scale, Unit::PER_SECOND),
        (Quantity::Time, Quantity::Count) => (exact(value, scale), Unit::SECOND),
        (Quantity::Bytes, Quantity::Count) => (value * scale, Unit::BYTE),
        (Quantity::Frequency, Quantity::Count) => (value * scale, hertz()),
        (Quantity::Percent, Quantity::Count) => (value, Unit::PERCENT),
        _ => (value * scale / below_scale, Unit::ONE),
    };
    Counter { value, unit: base }
}

fn hertz() -> Unit {
    Unit::from_symbol("Hz").unwrap_or(Unit::ONE)
}

/// Divides where the scale is below one: 335 µs are exactly 0.000335 s.
fn exact(value: f64, scale: f64) -> f64 {
    if scale < 1.0 { value / (1.0 / scale).round() } else { value * scale }
}

fn quantity(word: &str) -> (f64, Quantity) {
    if matches!(word, "%" | "pct" | "percent") {
        return (1.0, Quantity::Percent);
    }
    let base = |rest: &str| match rest {
        "second" | "seconds" | "s" | "sec" => Some(Quantity::Time),
        "byte" | "bytes" | "B" => Some(Quantity::Bytes),
        "hz" | "Hz" => Some(Quantity::Frequency),
        "cycle" | "cycles" => Some(Quantity::Cycles),
        "inst" | "warp" | "block" | "thread" | "register" | "sector" | "request" | "wavefront" => Some(Quantity::Count),
        _ => None,
    };
    let found = PREFIXES.iter().find_map(|(prefix, scale)| Some((*scale, base(word.strip_prefix(prefix)?)?)));
    found.unwrap_or((1.0, Quantity::Count))
}
