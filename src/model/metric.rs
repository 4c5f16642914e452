//! A metric: a quantity with a unit and a better direction.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, Unit, check_name};

/// The name of a metric, such as `time` or `throughput`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName(String);

impl MetricName {
    /// Wall-clock time of the measured thing.
    pub const TIME: &'static str = "time";
    /// User plus system processor time.
    pub const CPU_TIME: &'static str = "cpu_time";
    /// Largest resident set.
    pub const PEAK_MEMORY: &'static str = "peak_memory";
    /// Declared operations over declared bytes.
    pub const ARITHMETIC_INTENSITY: &'static str = "arithmetic_intensity";

    /// Checks that `name` can be shown on one line and written as `NAME=VALUE`.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidValue> {
        let name = name.into();
        check_name("metric name", &name)?;
        match name.chars().find(|c| *c == '=') {
            Some(character) => Err(InvalidValue::BadCharacter { what: "metric name", character, shown: name }),
            None => Ok(Self(name)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which way a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Smaller is better: time, memory.
    Lower,
    /// Larger is better: throughput.
    Higher,
}

impl Direction {
    /// The word in notes and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    /// The change from `old` to `new` in percent, positive when it is for the better.
    ///
    /// Lower is better: `(old − new) / old`; higher is better: `(new − old) / old`. Both are relative to the old
    /// value, as the tables of pull requests have always shown it. Two zeros are no change; from zero to something
    /// the change is infinite, with its sign.
    pub fn change_percent(self, old: f64, new: f64) -> f64 {
        if old == new {
            return 0.0;
        }
        let gain = match self {
            Self::Lower => old - new,
            Self::Higher => new - old,
        };
        100.0 * gain / old.abs()
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "lower" | "less" | "down" => Ok(Self::Lower),
            "higher" | "more" | "up" => Ok(Self::Higher),
            _ => Err(format!("`{text}` is not a direction: say `lower` or `higher`, whichever is better")),
        }
    }
}

/// A metric of a record: its name, its unit, which way is better and whether it is free of noise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metric {
    /// The name.
    pub name: MetricName,
    /// The base unit in which values are stored.
    pub unit: Unit,
    /// Which way is better.
    pub better: Direction,
    /// Zero noise by declaration (registers, instruction counts, bytes): compared exactly, without statistics.
    pub exact: bool,
    /// The metric that this one is computed from, together with what never changes: a rate from the time that it took. It says
    /// the same thing again.
    pub follows: Option<MetricName>,
}

impl Metric {
    /// A metric whose direction follows from its name or unit; `None` where neither tells (a plain number such as
    /// `score`), and the user has to say it.
    pub fn infer(name: MetricName, unit: Unit) -> Option<Self> {
        let better = unit.usual_direction().or_else(|| usual_direction_of_name(name.as_str()))?;
        Some(Self { name, unit, better, exact: false, follows: None })
    }

    /// The same, computed from another metric of the same measurement.
    #[must_use]
    pub fn following(self, lead: &MetricName) -> Self {
        Self { follows: Some(lead.clone()), ..self }
    }

    /// Whether it says what is measured and not how well: it is recorded and shown, and never judged.
    pub fn is_descriptive(&self) -> bool {
        self.name.as_str() == MetricName::ARITHMETIC_INTENSITY && self.unit == Unit::FLOP_PER_BYTE
    }

    /// Wall-clock time in seconds.
    pub fn time() -> Self {
        Self::built_in(MetricName::TIME, Unit::SECOND)
    }

    /// User plus system processor time in seconds.
    pub fn cpu_time() -> Self {
        Self::built_in(MetricName::CPU_TIME, Unit::SECOND)
    }

    /// Largest resident set in bytes.
    pub fn peak_memory() -> Self {
        Self::built_in(MetricName::PEAK_MEMORY, Unit::BYTE)
    }

    fn built_in(name: &str, unit: Unit) -> Self {
        Self { name: MetricName(name.to_owned()), unit, better: Direction::Lower, exact: false, follows: None }
    }
}

/// Directions of well-known metrics that have no telling unit.
fn usual_direction_of_name(name: &str) -> Option<Direction> {
    const LOWER: &[&str] = &[
        "time",
        "latency",
        "duration",
        "cycles",
        "instructions",
        "registers",
        "spills",
        "misses",
        "errors",
        "allocations",
        "size",
    ];
    const HIGHER: &[&str] = &["throughput", "bandwidth", "occupancy", "ops", "iterations", "hits", "speedup", "fps"];
    let words: Vec<String> = name.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.iter().rev().find_map(|word| {
        if LOWER.contains(&word.as_str()) {
            Some(Direction::Lower)
        } else if HIGHER.contains(&word.as_str()) {
            Some(Direction::Higher)
        } else {
            None
        }
    })
}
