//! `show`: all records of one commit, run by run.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::number::{Scale, quantity, significant};
use super::table::{Table, Tone, paint, wrapped};
use super::{code_text, escape, profile_text, words};
use crate::model::{
    BenchmarkName, Config, Excuse, Measurement, Metric, Profile, Record, Run, SampleWarning, SeriesKey, Summary, Unit,
};

/// One run and its records.
pub struct ShownRun<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its records that were asked for.
    pub records: Vec<&'a Record>,
    /// Its profiles that were asked for.
    pub profiles: Vec<&'a Profile>,
}

/// An excuse that counts, or one that does not.
#[derive(Debug, Clone, Copy)]
pub struct ShownExcuse<'a> {
    /// The excuse.
    pub excuse: &'a Excuse,
    /// Whether it excuses anything: nobody signed for it, where only what is signed counts.
    pub is_trusted: bool,
}

/// Writes each run with its facts, records and profiles, then the excuses.
pub fn show(out: &mut dyn Write, runs: &[ShownRun], excuses: &[ShownExcuse], options: TextOptions) -> io::Result<()> {
    for (at, shown) in runs.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        run_header(out, shown.run, options)?;
        if !shown.records.is_empty() {
            rows(out, shown.records.iter().map(|record| Row::from(*record)).collect(), options)?;
        }
        shown.profiles.iter().try_for_each(|profile| profile_text::profile(out, profile, options))?;
    }
    if !runs.is_empty() && !excuses.is_empty() {
        writeln!(out)?;
    }
    for shown in excuses {
        excuse_lines(out, shown.excuse, unit_of(shown.excuse, runs))?;
        if !shown.is_trusted {
            writeln!(out, "  untrusted: it excuses nothing")?;
        }
    }
    Ok(())
}

fn run_header(out: &mut dyn Write, run: &Run, options: TextOptions) -> io::Result<()> {
    let dirty = if run.dirty { ", dirty: uncommitted changes, never a baseline" } else { "" };
    let title =
        format!("run of {} by {} on {}{dirty}", run.time.format("%Y-%m-%d %H:%M UTC"), run.author.name, run.testbed.key());
    writeln!(out, "{}", paint(&escape::terminal(&title), Tone::Strong, options.color))?;
    let facts: Vec<String> = run.testbed.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let line = [vec![run.tool.clone()], facts].concat().join(", ");
    writeln!(out, "{}", paint(&escape::terminal(&line), Tone::Dim, options.color))
}

/// What a row of measured values shows, of a record or of a measurement that is not recorded yet.
struct Row<'a> {
    benchmark: &'a BenchmarkName,
    config: &'a Config,
    metric: &'a Metric,
    summary: &'a Summary,
    warnings: &'a [SampleWarning],
    barred: Option<&'a str>,
}

impl<'a> From<&'a Record> for Row<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            benchmark: &record.benchmark,
            config: &record.config,
            metric: &record.metric,
            summary: &record.summary,
            warnings: &record.warnings,
            barred: record.barred.as_deref(),
        }
    }
}

impl<'a> From<&'a Measurement> for Row<'a> {
    fn from(measured: &'a Measurement) -> Self {
        Self {
            benchmark: &measured.benchmark,
            config: &measured.config,
            metric: &measured.metric,
            summary: &measured.summary,
            warnings: &measured.warnings,
            barred: measured.barred.as_deref(),
        }
    }
}

/// Writes measurements that are about to be recorded: `bench`, `record --dry-run`.
pub fn measurements(out: &mut dyn Write, measured: &[Measurement], options: TextOptions) -> io::Result<()> {
    if code_text::is_code(measured) {
        return code_text::table(out, measured, options);
    }
    rows(out, measured.iter().map(Row::from).collect(), options)
}

fn rows(out: &mut dyn Write, rows: Vec<Row>, options: TextOptions) -> io::Result<()> {
    out.write_all(rows_table(&rows, options).as_bytes())?;
    rows.iter().try_for_each(|row| row_notes(out, row, options.width))
}

fn rows_table(rows: &[Row], options: TextOptions) -> String {
    let with_config = rows.iter().any(|row| !row.config.is_empty());
    let mut header = vec!["benchmark"];
    header.extend(with_config.then_some("config"));
    header.push("metric");
    let numbers = header.len();
    header.extend(["median", "95 % interval", "n", "spread"]);
    let mut table = Table::new(&header, options.color).right_align(&[numbers, numbers + 1, numbers + 2, numbers + 3]);
    for row in rows {
        let summary = row.summary;
        let scale = Scale::for_value(summary.median, &row.metric.unit);
        let mut cells = vec![escape::terminal_short(row.benchmark.as_str(), 60)];
        cells.extend(with_config.then(|| escape::terminal_short(&row.config.to_string(), 60)));
        cells.extend([
            escape::terminal_short(row.metric.name.as_str(), 40),
            scale.show(summary.median),
            interval(summary, &scale),
            summary.n.to_string(),
            spread(summary),
        ]);
        table.row(cells);
    }
    table.render(options.width)
}

/// `9.98 – 10.1` in the scale's unit.
pub(super) fn interval(summary: &Summary, scale: &Scale) -> String {
    summary
        .low
        .zip(summary.high)
        .map_or("–".to_owned(), |(low, high)| format!("{} – {}", scale.number(low), scale.number(high)))
}

fn spread(summary: &Summary) -> String {
    let relative = summary.stddev.filter(|_| summary.median != 0.0).map(|stddev| 100.0 * stddev / summary.median.abs());
    relative.map_or("–".to_owned(), |percent| format!("{} %", significant(percent, 2)))
}

fn row_notes(out: &mut dyn Write, row: &Row, width: Option<usize>) -> io::Result<()> {
    let name = format!("{} {}", words::point_name(row.benchmark, row.config), row.metric.name);
    let name = escape::terminal(&name);
    for warning in row.warnings {
        writeln!(out, "{}", wrapped(&format!("{name}: {}", sample_warning(warning)), "  ", width))?;
    }
    match row.barred {
        Some(reason) => {
            let text = format!("{name}: never a baseline: {}", escape::terminal(reason));
            writeln!(out, "{}", wrapped(&text, "  ", width))
        }
        None => Ok(()),
    }
}

/// A sampling warning in words.
pub fn sample_warning(warning: &SampleWarning) -> String {
    match warning {
        SampleWarning::Outliers { mild, severe } => {
            format!("{severe} severe and {mild} mild outliers: something else was running")
        }
        SampleWarning::Drift { percent } => format!("drifted by {} % while it was measured", significant(*percent, 3)),
        SampleWarning::WideInterval { percent } => {
            format!("still uncertain by ±{} % when time or count ran out", significant(*percent, 3))
        }
        SampleWarning::SlowFirst => "the first execution was much slower than the rest: give it more warm-up".to_owned(),
        SampleWarning::TooShort => "so short that starting the process dominates it".to_owned(),
        SampleWarning::Throttled { dropped } => format!("{dropped} samples dropped because the device was throttled"),
    }
}

/// An excuse keeps a bare number; its unit is that of the records it covers.
fn unit_of<'a>(excuse: &Excuse, runs: &[ShownRun<'a>]) -> Option<&'a Unit> {
    let mut records = runs.iter().flat_map(|shown| shown.records.iter().map(|record| (*record, shown.run)));
    records.find(|(record, run)| excuse.scope.covers(&SeriesKey::of(record, run))).map(|(record, _)| &record.metric.unit)
}

fn excuse_lines(out: &mut dyn Write, excuse: &Excuse, unit: Option<&Unit>) -> io::Result<()> {
    let scope = &excuse.scope;
    let benchmark = scope.benchmark.as_ref().map_or("every benchmark", BenchmarkName::as_str);
    let what = words::point_name(&benchmark, &scope.config);
    let metric = scope.metric.as_ref().map_or(String::new(), |name| format!(" {name}"));
    let line =
        format!("excuse for {what}{metric} by {} on {}: {}", excuse.author.name, excuse.time.format("%Y-%m-%d"), excuse.reason);
    writeln!(out, "{}", escape::terminal(&line))?;
    if let Some(until) = excuse.until {
        match unit {
            Some(unit) => writeln!(out, "  up to {}", quantity(until, unit))?,
            None => writeln!(out, "  up to {} in the base unit of the metric", quantity(until, &Unit::ONE))?,
        }
    }
    match excuse.expires {
        Some(expires) => writeln!(out, "  until {}", expires.format("%Y-%m-%d")),
        None => Ok(()),
    }
}
