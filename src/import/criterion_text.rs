//! What criterion prints: `copy   time:   [320.62 ps 323.90 ps 327.55 ps]`.
//!
//! For logs of which nothing else is left: the folder that criterion writes has every value, and this one number, the estimate in the
//! middle. What stands around it bounds a slope or a mean at a level that is not printed. Lines of a change against another run are
//! passed over.

use super::collect::{Collector, Point, Reading, entry, known_metric};
use super::json::short;
use super::source::{Importer, Source};
use super::text::{spelled_quantity, without_colours};
use super::{Format, ImportError};
use crate::model::{Direction, Metric, Quantity, Summary, Unit};

pub(super) struct CriterionText;

impl Importer for CriterionText {
    fn format(&self) -> Format {
        Format::CriterionText
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let is_time = |line: &str| line.contains("time:") && matches!(parse(&without_colours(line)), Some(("time", ..)));
        source.lines().any(|(_, line)| is_time(line))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("criterion".to_owned());
        let mut above = String::new();
        let mut current: Option<Point> = None;
        for (number, line) in source.lines() {
            let at = format!("line {number}");
            let line = without_colours(line);
            match parse(&line) {
                Some(("time", name, middle)) => {
                    let name = if name.is_empty() { above.trim() } else { name };
                    let point = into.point(&at, name, Vec::new())?;
                    add_time(&entry(&at, name), &point, middle, into)?;
                    current = Some(point);
                }
                Some((_, _, middle)) => {
                    if let Some(point) = &current {
                        add_rate(&at, point, middle, into)?;
                    }
                }
                None => above = line,
            }
        }
        Ok(())
    }
}

/// Of `NAME time: [LOW MIDDLE HIGH]` what it is about, the name, which may stand in the line above, and the estimate.
fn parse(line: &str) -> Option<(&'static str, &str, &str)> {
    let (start, kind) = [" time:", " thrpt:"].into_iter().find_map(|word| Some((line.rfind(word)?, word.trim())))?;
    let bracket = line[start..].split_once(':')?.1.trim_start().strip_prefix('[')?.split_once(']')?.0;
    let words: Vec<&str> = bracket.split(' ').collect();
    let [low, low_unit, middle, unit, high, _] = words.as_slice() else { return None };
    // Changes are percentages, and of one word each.
    let well_formed = [low, middle, high].iter().all(|number| number.parse::<f64>().is_ok());
    let begin = low.len() + low_unit.len() + 2;
    let estimate = bracket.get(begin..begin + middle.len() + 1 + unit.len()).filter(|_| well_formed)?;
    Some((if kind == "time:" { "time" } else { "rate" }, line[..start].trim(), estimate))
}

fn add_time(at: &str, point: &Point, middle: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    match spelled_quantity(middle) {
        Some(Quantity { value, unit }) if unit == Unit::SECOND => {
            into.add_possible(at, point, Metric::time(), Reading::Statistics(Summary::single(value)))
        }
        _ => {
            into.left_out(at, format!("`{}`", short(middle)), "it is not a time");
            Ok(())
        }
    }
}

/// `1.2 GiB/s`, `34.5 Melem/s`.
fn add_rate(at: &str, point: &Point, middle: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let elements = middle.strip_suffix("elem/s").map(|scaled| format!("{scaled}/s").replace(" K/s", " k/s"));
    let Some(Quantity { value, unit }) = spelled_quantity(elements.as_deref().unwrap_or(middle)) else {
        into.left_out(at, format!("`{}`", short(middle)), "its unit is not known");
        return Ok(());
    };
    let metric = known_metric(at, "throughput", unit, Direction::Higher)?.following(&Metric::time().name);
    into.add_possible(at, point, metric, Reading::Statistics(Summary::single(value)))
}
