//! Small texts that several formats share: points in time, units with a suffix, what terminals show.

use chrono::{DateTime, Utc};

use crate::model::{Quantity, Summary, Unit};

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

/// A metric's name that ends in its unit, `latency_ms` or `memory(mb)`: the name without it, and the unit.
pub(super) fn unit_in_name(name: &str) -> Option<(&str, &'static str)> {
    const UNITS: [(&str, &str); 8] = [
        ("ns", "ns"),
        ("us", "us"),
        ("ms", "ms"),
        ("s", "s"),
        ("mb", "MB"),
        ("gb", "GB"),
        ("gb/s", "GB/s"),
        ("tflops", "TFLOPS"),
    ];
    let (stem, unit) = match name.strip_suffix(')') {
        Some(open) => open.rsplit_once('(')?,
        None => name.rsplit_once('_')?,
    };
    let (_, unit) = UNITS.into_iter().find(|(spelled, _)| unit.eq_ignore_ascii_case(spelled))?;
    let stem = stem.trim_end_matches([' ', '_']);
    (!stem.is_empty()).then_some((stem, unit))
}

/// A line without the sequences that colour it in a terminal (`ESC [ … letter`).
pub(super) fn without_colours(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        clean.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        rest = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or("", |end| &sequence[end + 1..]);
    }
    clean.push_str(rest);
    clean
}

/// A number as people read it, with commas between its thousands: `3,161.70`.
pub(super) fn number(text: &str) -> Option<f64> {
    let starts_well = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    text.replace(',', "").parse().ok().filter(|number: &f64| starts_well && number.is_finite())
}

/// A number, a space and a unit: `51.35 ns`.
pub(super) fn spelled_quantity(text: &str) -> Option<Quantity> {
    let (value, unit) = text.trim().split_once(char::is_whitespace)?;
    Quantity::new(number(value)?, unit.trim()).ok()
}

/// A time in seconds, such as `51.35 ns`.
pub(super) fn duration(text: &str) -> Option<f64> {
    spelled_quantity(text).filter(|quantity| quantity.unit == Unit::SECOND).map(|quantity| quantity.value)
}

/// The statistics of times without what a coarse clock showed as zero: a smallest or largest value, a mean.
pub(super) fn of_times(summary: Summary) -> Summary {
    let seen = |value: Option<f64>| value.filter(|value| *value > 0.0);
    Summary { min: seen(summary.min), max: seen(summary.max), mean: seen(summary.mean), ..summary }
}
