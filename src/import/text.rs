//! Small texts that several formats share: points in time, units with a suffix.

use chrono::{DateTime, Utc};

use crate::model::{Quantity, Unit};

/// A point in time with its offset from UTC (`2026-11-20T21:15:16Z`); a local time without one is not a point in time.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|time| time.with_timezone(&Utc))
}

/// Reads a unit as people write it: `ms`, `ns/iter`, `Megabytes`; as [`Quantity`] of the value one would be, scaled.
pub(super) fn loose_quantity(value: f64, unit: &str) -> Option<Quantity> {
    let bare = unit.trim();
    let per_run = ["/op", "/iter", "/iteration", "/run"].iter().find_map(|suffix| bare.strip_suffix(suffix));
    let candidates = [Some(bare.to_owned()), per_run.map(str::to_owned), is_word(bare).then(|| bare.to_lowercase())];
    candidates.into_iter().flatten().find_map(|unit| Quantity::new(value, &unit).ok())
}

/// Symbols differ by case (`ms`, `MS`), whole words do not.
fn is_word(unit: &str) -> bool {
    unit.len() > 4 && unit.chars().all(char::is_alphabetic)
}

/// What a value of this unit usually is called, for formats that name no metric.
pub(super) fn metric_for(unit: &Unit) -> &'static str {
    match unit.symbol() {
        "s" => "time",
        "B" => "bytes",
        "B/s" => "bandwidth",
        "J" => "energy",
        "W" => "power",
        "Hz" => "frequency",
        "°C" => "temperature",
        "%" => "percent",
        symbol if symbol.ends_with("/s") => "throughput",
        _ => "value",
    }
}
