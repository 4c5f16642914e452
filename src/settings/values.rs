//! Single values of the file: durations, percentages, names, words.

use std::time::Duration;

use serde::Deserialize;

use super::{BaselineMode, CacheState, ConfirmMode, HistoryMode, StopRule, Stream, Warmup};
use crate::model::{Direction, MetricName, Quantity, Unit};

/// Longest time that settings may ask for.
const LONGEST_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// A text that is neither empty nor holds control characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(pub(super) String);

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("this must not be empty".to_owned());
        }
        match text.chars().find(|c| crate::model::is_unshowable(*c)) {
            Some(character) => Err(format!("this must not contain the character {character:?}")),
            None => Ok(Self(text)),
        }
    }
}

/// The name of a metric, as a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name(pub(super) MetricName);

impl TryFrom<String> for Name {
    type Error = crate::model::InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        MetricName::new(text).map(Self)
    }
}

/// A threshold: `3` and `-3` say the same.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Percent(pub(super) f64);

impl TryFrom<f64> for Percent {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        percent(value).map(Self)
    }
}

/// The magnitude of a threshold in percent.
pub(super) fn percent(value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value.abs()) } else { Err(format!("`{value}` is not a percentage: write a number such as 3")) }
}

/// A percentage above zero.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct PositivePercent(pub(super) f64);

impl TryFrom<f64> for PositivePercent {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        let is_usable = value.is_finite() && value > 0.0;
        is_usable
            .then_some(Self(value))
            .ok_or_else(|| format!("`{value}` is not a percentage above 0: write a number such as 0.5"))
    }
}

/// A time, zero allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TimeText")]
pub(super) struct Time(pub(super) Duration);

/// A time above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TimeText")]
pub(super) struct PositiveTime(pub(super) Duration);

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a time in quotes such as \"30s\" or \"200ms\"")]
enum TimeText {
    Text(String),
    Number(f64),
}

impl TryFrom<TimeText> for Time {
    type Error = String;

    fn try_from(text: TimeText) -> Result<Self, String> {
        match text {
            TimeText::Text(text) => duration(&text).map(Self),
            TimeText::Number(number) => Err(format!("a time needs a unit: write \"{number}s\" or \"{number}ms\"")),
        }
    }
}

impl TryFrom<TimeText> for PositiveTime {
    type Error = String;

    fn try_from(text: TimeText) -> Result<Self, String> {
        match Time::try_from(text)?.0 {
            Duration::ZERO => Err("this time must be above zero".to_owned()),
            time => Ok(Self(time)),
        }
    }
}

/// `200ms`, `30s`, `1.5 min`, `0s`.
fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a time: write a number with ns, us, ms, s, min or h, such as 200ms or 30s");
    let quantity: Quantity = text.parse().map_err(|_| refused())?;
    if quantity.unit != Unit::SECOND || quantity.value < 0.0 {
        return Err(refused());
    }
    if quantity.value > LONGEST_SECONDS {
        return Err(format!("`{text}` is longer than a week"));
    }
    Duration::try_from_secs_f64(quantity.value).map_err(|_| refused())
}

/// A count of executions or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WarmupText")]
pub(super) struct WarmupValue(pub(super) Warmup);

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a count such as 3 or a time in quotes such as \"200ms\"")]
enum WarmupText {
    Count(u32),
    Text(String),
}

impl TryFrom<WarmupText> for WarmupValue {
    type Error = String;

    fn try_from(text: WarmupText) -> Result<Self, String> {
        match text {
            WarmupText::Count(count) => Ok(Self(Warmup::Count(count))),
            WarmupText::Text(text) => duration(&text).map(|time| Self(Warmup::Time(time))),
        }
    }
}

/// A word for the better direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Better(pub(super) Direction);

impl TryFrom<String> for Better {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// A word for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RawStream(pub(super) Stream);

impl TryFrom<String> for RawStream {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "stdout" => Ok(Self(Stream::Stdout)),
            "stderr" => Ok(Self(Stream::Stderr)),
            _ => Err(format!("`{text}` is not a stream: write \"stdout\" or \"stderr\"")),
        }
    }
}

impl TryFrom<String> for HistoryMode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "first-parent" => Ok(Self::FirstParent),
            "all" => Ok(Self::All),
            _ => Err(format!("`{text}` is not a history: write \"first-parent\" or \"all\"")),
        }
    }
}

impl TryFrom<String> for CacheState {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "cold" => Ok(Self::Cold),
            "hot" => Ok(Self::Hot),
            _ => Err(format!("`{text}` is no state of a cache: write \"cold\" or \"hot\"")),
        }
    }
}

impl TryFrom<String> for StopRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "interval" => Ok(Self::Interval),
            "entropy" => Ok(Self::Entropy),
            _ => Err(format!("`{text}` is not a rule to stop by: write \"interval\" or \"entropy\"")),
        }
    }
}

impl TryFrom<String> for BaselineMode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "level" => Ok(Self::Level),
            "best-run" => Ok(Self::BestRun),
            _ => Err(format!("`{text}` is not a baseline: write \"level\" or \"best-run\"")),
        }
    }
}

impl std::str::FromStr for ConfirmMode {
    type Err = String;

    /// The booleans as git writes them, and `ci`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "false" | "no" | "off" | "0" => Ok(Self::Never),
            "true" | "yes" | "on" | "1" => Ok(Self::Always),
            "ci" => Ok(Self::Ci),
            _ => Err(format!("`{text}` does not say when to confirm: write true, false or \"ci\"")),
        }
    }
}
