//! `compare` for people: one row for each series that both sides have.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape;
use super::number::{Scale, change};
use super::table::{Table, Tone, paint};
use super::words::{self, trust_mark};
use crate::judge::{Basis, Estimate, SeriesComparison};

/// Writes the table, and below it what its statistics are about.
pub fn compare(
    out: &mut dyn Write,
    (before, after): (&str, &str),
    series: &[SeriesComparison],
    options: TextOptions,
) -> io::Result<()> {
    let (before, after) = (escape::terminal_short(before, 20), escape::terminal_short(after, 20));
    let with_config = series.iter().any(|series| !series.key.config.is_empty());
    let mut header = vec!["benchmark"];
    header.extend(with_config.then_some("config"));
    header.push("metric");
    let numbers = header.len();
    header.extend([before.as_str(), after.as_str(), "change", "95 %", "delta", "p", "n"]);
    let right: Vec<usize> = (numbers..header.len()).collect();
    let mut table = Table::new(&header, options.color).right_align(&right);
    for series in series {
        let mut row = vec![escape::terminal_short(series.key.benchmark.as_str(), 60)];
        row.extend(with_config.then(|| escape::terminal_short(&series.key.config.to_string(), 60)));
        row.push(escape::terminal_short(series.metric.name.as_str(), 40));
        row.extend(numbers_of(series));
        table.row(row);
    }
    out.write_all(table.render(options.width).as_bytes())?;
    for basis in [Basis::BetweenRuns, Basis::Pairs, Basis::WithinRuns] {
        let count = series.iter().filter(|series| series.comparison.basis == basis).count();
        if count > 0 {
            let which = if count == series.len() { String::new() } else { format!("{count} series: ") };
            writeln!(out, "{}", paint(&format!("{which}{}", about(basis)), Tone::Dim, options.color))?;
        }
    }
    Ok(())
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

fn numbers_of(series: &SeriesComparison) -> [String; 7] {
    let compared = &series.comparison;
    let scale = Scale::for_value(compared.before.value, &series.metric.unit);
    let dash = || "–".to_owned();
    let interval = compared.low_percent.zip(compared.high_percent);
    [
        estimate(&compared.before, &scale) + trust_mark(series.trusted.0),
        estimate(&compared.after, &scale) + trust_mark(series.trusted.1),
        compared.change_percent.map_or_else(dash, change),
        interval.map_or_else(dash, |(low, high)| format!("{} to {}", change(low), change(high))),
        format!("{:+.2}", compared.delta).replace('-', "−"),
        words::probability_alone(compared.p),
        format!("{}, {}", compared.counts.0, compared.counts.1),
    ]
}

/// `12.30 ms (12.20 to 12.40)`.
fn estimate(estimate: &Estimate, scale: &Scale) -> String {
    let interval = estimate.low.zip(estimate.high);
    let interval = interval.map_or(String::new(), |(low, high)| format!(" ({} to {})", scale.number(low), scale.number(high)));
    format!("{}{interval}", scale.show(estimate.value))
}
