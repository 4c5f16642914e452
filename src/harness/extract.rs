//! Numbers out of what a program printed.

use serde_json::Value;

use super::point::{OutputMetric, OutputPattern};
use crate::model::{InvalidValue, ParseQuantityError, Quantity, Summary};

/// Why a number cannot be read from the output.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExtractError {
    /// The regular expression matches nowhere.
    #[error("nothing in the output matches `{0}`")]
    NoMatch(String),
    /// Neither the output nor its last line is JSON.
    #[error("the output is not JSON, nor is its last line: {0}")]
    NotJson(String),
    /// More was printed than is kept, so that JSON cannot be read.
    #[error("the output is longer than {0} bytes and was cut; print only the results there")]
    Cut(usize),
    /// The JSON pointer leads nowhere.
    #[error("the JSON output has nothing at `{0}`")]
    NoPointer(String),
    /// What stands there is not a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// A number that the unit does not allow.
    #[error(transparent)]
    Impossible(#[from] InvalidValue),
    /// The unit is not known.
    #[error(transparent)]
    Unit(#[from] ParseQuantityError),
}

/// One captured stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    /// What was kept of it.
    pub(super) bytes: Vec<u8>,
    /// Whether something in the middle was dropped.
    pub(super) cut: bool,
}

impl OutputMetric {
    /// The metric's value in `output`, in base units. Bytes that are not UTF-8 never match.
    pub(super) fn read(&self, output: &Output) -> Result<f64, ExtractError> {
        let printed = match &self.pattern {
            OutputPattern::Regex(regex) => last_match(regex, &String::from_utf8_lossy(&output.bytes))?,
            OutputPattern::Json(pointer) => at_pointer(pointer, output)?,
        };
        let quantity = Quantity::new(printed, &self.unit)?;
        Summary::single(quantity.value).check(&quantity.unit)?;
        Ok(quantity.value)
    }
}

/// The last match counts: programs that print running values print the final one last.
fn last_match(regex: &regex::Regex, text: &str) -> Result<f64, ExtractError> {
    let captures = regex.captures_iter(text).last().ok_or_else(|| ExtractError::NoMatch(regex.to_string()))?;
    let matched = captures.get(1).or_else(|| captures.get(0)).map_or("", |group| group.as_str());
    number(matched)
}

fn at_pointer(pointer: &str, output: &Output) -> Result<f64, ExtractError> {
    if output.cut {
        return Err(ExtractError::Cut(output.bytes.len()));
    }
    let document = parse_json(&output.bytes)?;
    match document.pointer(pointer) {
        None => Err(ExtractError::NoPointer(pointer.to_owned())),
        Some(Value::Number(value)) => value.as_f64().ok_or_else(|| ExtractError::NotANumber(shown(&value.to_string()))),
        Some(Value::String(text)) => number(text),
        Some(other) => Err(ExtractError::NotANumber(shown(&other.to_string()))),
    }
}

/// The whole output, or its last line: programs that log before they print results put them there.
fn parse_json(bytes: &[u8]) -> Result<Value, ExtractError> {
    serde_json::from_slice(bytes).or_else(|whole| {
        let last_line = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        serde_json::from_slice(last_line).map_err(|_| ExtractError::NotJson(whole.to_string()))
    })
}

fn number(text: &str) -> Result<f64, ExtractError> {
    text.trim().parse().map_err(|_| ExtractError::NotANumber(shown(text)))
}

fn shown(text: &str) -> String {
    super::executor::escape(&text.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::OutputStream;
    use crate::model::{Direction, Metric, MetricName, Unit};

    fn rate(pattern: OutputPattern) -> OutputMetric {
        let metric = Metric {
            name: MetricName::new("rate").unwrap(),
            unit: Unit::BYTE_PER_SECOND,
            better: Direction::Higher,
            exact: false,
            follows: None,
        };
        OutputMetric::new(metric, "GB/s", pattern, OutputStream::Stdout).unwrap()
    }

    fn by_regex(text: &[u8]) -> Result<f64, ExtractError> {
        let regex = regex::Regex::new(r"rate: (\S+)").unwrap();
        rate(OutputPattern::Regex(regex)).read(&Output { bytes: text.to_vec(), cut: false })
    }

    fn by_pointer(pointer: &str, text: &str) -> Result<f64, ExtractError> {
        rate(OutputPattern::Json(pointer.to_owned())).read(&Output { bytes: text.into(), cut: false })
    }

    #[test]
    fn the_last_match_counts_in_base_units() {
        assert_eq!(by_regex(b"rate: 1.5 GB/s\nrate: 2.5 GB/s\n"), Ok(2.5e9));
    }

    #[test]
    fn bytes_that_are_not_utf_8_do_not_hide_a_match() {
        assert_eq!(by_regex(b"\xff\xfe junk\nrate: 2 \xff\n"), Ok(2e9));
    }

    #[test]
    fn a_pattern_without_a_group_is_the_number_itself() {
        let metric = rate(OutputPattern::Regex(regex::Regex::new(r"\d+$").unwrap()));
        assert_eq!(metric.read(&Output { bytes: b"took 12".to_vec(), cut: false }), Ok(12e9));
    }

    #[test]
    fn pointers_lead_into_the_document_or_its_last_line() {
        assert_eq!(by_pointer("/results/0/rate", r#"{"results": [{"rate": 3}]}"#), Ok(3e9));
        assert_eq!(by_pointer("/rate", "starting\n{\"rate\": \"4.5\"}\n"), Ok(4.5e9));
    }

    #[test]
    fn what_is_no_number_is_told() {
        assert_eq!(by_regex(b"nothing"), Err(ExtractError::NoMatch(r"rate: (\S+)".to_owned())));
        assert_eq!(by_regex(b"rate: \x1b[31mfast"), Err(ExtractError::NotANumber("\\u{1b}[31mfast".to_owned())));
        assert_eq!(by_pointer("/x", "{}"), Err(ExtractError::NoPointer("/x".to_owned())));
        assert_eq!(by_pointer("/x", "{\"x\": [1]}"), Err(ExtractError::NotANumber("[1]".to_owned())));
        assert!(matches!(by_pointer("/x", "no json"), Err(ExtractError::NotJson(_))));
    }

    #[test]
    fn impossible_values_are_refused() {
        for text in ["rate: nan", "rate: inf", "rate: -3", "rate: 1e300000"] {
            assert!(matches!(by_regex(text.as_bytes()), Err(ExtractError::Impossible(_))), "{text}");
        }
    }

    #[test]
    fn json_that_was_cut_is_not_guessed_at() {
        let metric = rate(OutputPattern::Json("/x".to_owned()));
        assert_eq!(metric.read(&Output { bytes: b"{\"x\": 1}".to_vec(), cut: true }), Err(ExtractError::Cut(8)));
    }
}
