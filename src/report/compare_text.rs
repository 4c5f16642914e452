//! `compare` for people: one row for each series that both sides have.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape;
use super::number::{Scale, change};
use super::table::{Table, Tone, paint, wrapped};
use super::words::{self, trust_mark};
use crate::judge::{Basis, Estimate, SeriesComparison};

/// Writes the table, and below it what its statistics are about.
pub fn compare(
    out: &mut dyn Write,
    (before, after): (&str, &str),
    series: &[SeriesComparison],
    options: TextOptions,
) -> io::Result<()> {
    let names = (escape::terminal_short(before, 20), escape::terminal_short(after, 20));
    let has_room = |detail: &Detail| {
        let Some(width) = options.width else { return true };
        let text = table(&names, series, *detail, false).render(None);
        text.lines().all(|line| line.chars().count() <= width)
    };
    let detail = [Detail::Everything, Detail::NoIntervals].into_iter().find(has_room).unwrap_or(Detail::Change);
    out.write_all(table(&names, series, detail, options.color).render(options.width).as_bytes())?;
    if detail != Detail::Everything {
        let remark = "this terminal is too narrow for everything: --json has the intervals and all statistics";
        writeln!(out, "{}", paint(&wrapped(remark, "", options.width), Tone::Dim, options.color))?;
    }
    for basis in [Basis::BetweenRuns, Basis::Pairs, Basis::WithinRuns] {
        let count = series.iter().filter(|series| series.comparison.basis == basis).count();
        if count > 0 {
            let which = if count == series.len() { String::new() } else { format!("{count} series: ") };
            let text = wrapped(&format!("{which}{}", about(basis)), "", options.width);
            writeln!(out, "{}", paint(&text, Tone::Dim, options.color))?;
        }
    }
    Ok(())
}

/// What of the statistics has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Everything,
    /// The values stand alone.
    NoIntervals,
    /// And beside them stands only the change, and how likely it is without a cause, of how many measurements.
    Change,
}

fn table(names: &(String, String), series: &[SeriesComparison], detail: Detail, color: bool) -> Table {
    let with_config = series.iter().any(|series| !series.key.config.is_empty());
    let mut header = vec!["benchmark"];
    header.extend(with_config.then_some("config"));
    header.push("metric");
    let several_testbeds = series.iter().any(|other| other.key.testbed != series[0].key.testbed);
    header.extend(several_testbeds.then_some("testbed"));
    let numbers = header.len();
    header.extend([names.0.as_str(), names.1.as_str(), "change"]);
    header.extend(match detail {
        Detail::Change => &["p", "n"][..],
        _ => &["95 %", "delta", "p", "n"],
    });
    let right: Vec<usize> = (numbers..header.len()).collect();
    let mut table = Table::new(&header, color).right_align(&right);
    for series in series {
        let mut row = vec![escape::terminal_short(series.key.benchmark.as_str(), 60)];
        row.extend(with_config.then(|| escape::terminal_short(&series.key.config.to_string(), 60)));
        row.push(escape::terminal_short(series.metric.name.as_str(), 40));
        row.extend(several_testbeds.then(|| escape::terminal_short(&series.key.testbed, 40)));
        row.extend(numbers_of(series, detail));
        table.row(row);
    }
    table
}

fn about(basis: Basis) -> &'static str {
    match basis {
        Basis::BetweenRuns => "between runs: change, delta and p compare the medians of the runs",
        Basis::Pairs => "pairs: short runs measured in turn, in one session",
        Basis::WithinRuns => {
            "within one run of each: change, delta and p do not know how much runs differ, and are too sure (--live, or more runs, tell)"
        }
    }
}

fn numbers_of(series: &SeriesComparison, detail: Detail) -> Vec<String> {
    let compared = &series.comparison;
    let scale = Scale::for_value(compared.before.value, &series.metric.unit);
    let dash = || "–".to_owned();
    let interval = compared.low_percent.zip(compared.high_percent);
    let value = |of: &Estimate| if detail == Detail::Everything { estimate(of, &scale) } else { scale.show(of.value) };
    let mut numbers = vec![
        value(&compared.before) + trust_mark(series.trusted.0),
        value(&compared.after) + trust_mark(series.trusted.1),
        compared.change_percent.map_or_else(dash, change),
    ];
    // What has no noise needs no statistics.
    if series.metric.exact {
        numbers.extend(std::iter::repeat_n(dash(), if detail == Detail::Change { 0 } else { 2 }));
        numbers.push("exact".to_owned());
        numbers.push(format!("{}, {}", compared.counts.0, compared.counts.1));
        return numbers;
    }
    if detail != Detail::Change {
        numbers.push(interval.map_or_else(dash, |(low, high)| format!("{} to {}", change(low), change(high))));
        numbers.push(format!("{:+.2}", compared.delta).replace('-', "−"));
    }
    numbers.push(words::probability_alone(compared.p));
    numbers.push(format!("{}, {}", compared.counts.0, compared.counts.1));
    numbers
}

/// `12.30 ms (12.20 to 12.40)`.
fn estimate(estimate: &Estimate, scale: &Scale) -> String {
    let interval = estimate.low.zip(estimate.high);
    let interval = interval.map_or(String::new(), |(low, high)| format!(" ({} to {})", scale.number(low), scale.number(high)));
    format!("{}{interval}", scale.show(estimate.value))
}
