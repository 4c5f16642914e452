//! What is known of machine code, as a table for people: one row for each distinct code, one column for each metric.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape;
use super::number::quantity;
use super::table::{Table, Tone, paint};
use crate::model::{Measurement, MetricName};

/// Writes the measurements of one architecture. Points of a benchmark that run the same machine code share a row.
pub fn write(out: &mut dyn Write, testbed: &str, measured: &[Measurement], options: TextOptions) -> io::Result<()> {
    writeln!(out, "{}", paint(&escape::terminal(testbed), Tone::Strong, options.color))?;
    table(out, measured, options)
}

/// Whether nothing but machine code was looked at.
pub(super) fn is_code(measured: &[Measurement]) -> bool {
    measured.iter().all(|measured| measured.metric.exact && measured.machine_code.is_some())
}

/// The table alone.
pub(super) fn table(out: &mut dyn Write, measured: &[Measurement], options: TextOptions) -> io::Result<()> {
    let mut metrics: Vec<&MetricName> = Vec::new();
    for measurement in measured {
        if !metrics.contains(&&measurement.metric.name) {
            metrics.push(&measurement.metric.name);
        }
    }
    let names: Vec<String> = metrics.iter().map(|name| escape::terminal_short(name.as_str(), 20)).collect();
    let header: Vec<&str> = ["benchmark", "config"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let numbers: Vec<usize> = (2..header.len()).collect();
    let mut table = Table::new(&header, options.color).right_align(&numbers);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for point in measured.chunk_by(|one, other| one.benchmark == other.benchmark && one.config == other.config) {
        match rows.iter_mut().find(|row| row.is_like(point)) {
            Some(row) => row.others += 1,
            None => rows.push(Row { point, others: 0 }),
        }
    }
    for row in &rows {
        table.row(row.cells(&metrics));
    }
    out.write_all(table.render(options.width).as_bytes())
}

/// A point, and how many others look the same.
struct Row<'a> {
    point: &'a [Measurement],
    others: usize,
}

impl Row<'_> {
    fn is_like(&self, point: &[Measurement]) -> bool {
        let key = |measured: &Measurement| (measured.benchmark.clone(), measured.machine_code.clone(), measured.values.clone());
        self.point.len() == point.len() && self.point.iter().zip(point).all(|(one, other)| key(one) == key(other))
    }

    fn cells(&self, metrics: &[&MetricName]) -> Vec<String> {
        let Some(first) = self.point.first() else { return Vec::new() };
        let more = if self.others > 0 { format!(" and {} more with the same code", self.others) } else { String::new() };
        let value = |name: &&MetricName| {
            let found = self.point.iter().find(|measured| measured.metric.name == **name);
            found.map_or("–".to_owned(), |measured| quantity(measured.summary.median, &measured.metric.unit))
        };
        // A config with a name needs no more than that.
        let config = first.config.get("config").map_or_else(|| first.config.to_string(), str::to_owned);
        let config = format!("{}{more}", escape::terminal_short(&config, 60));
        [escape::terminal_short(first.benchmark.as_str(), 40), config].into_iter().chain(metrics.iter().map(value)).collect()
    }
}
