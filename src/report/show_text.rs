//! `show`: all records of one commit, run by run.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape;
use super::number::{Scale, quantity, significant};
use super::table::{Table, Tone, paint};
use crate::model::{Excuse, Record, Run, SampleWarning};

/// One run and its records.
pub struct ShownRun<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its records that were asked for.
    pub records: Vec<&'a Record>,
}

/// Writes each run with its facts and records, then the excuses.
pub fn show(out: &mut dyn Write, runs: &[ShownRun], excuses: &[&Excuse], options: TextOptions) -> io::Result<()> {
    for (at, shown) in runs.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        run_header(out, shown.run, options)?;
        out.write_all(records_table(&shown.records, options).as_bytes())?;
        for record in &shown.records {
            record_notes(out, record)?;
        }
    }
    for excuse in excuses {
        excuse_lines(out, excuse)?;
    }
    Ok(())
}

fn run_header(out: &mut dyn Write, run: &Run, options: TextOptions) -> io::Result<()> {
    let dirty = if run.dirty { ", dirty: uncommitted changes, never a baseline" } else { "" };
    let title = format!("run of {} by {} on {}{dirty}", run.time.format("%Y-%m-%d %H:%M UTC"), run.author.name, run.testbed.key());
    writeln!(out, "{}", paint(&escape::terminal(&title), Tone::Strong, options.color))?;
    let facts: Vec<String> = run.testbed.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let line = [vec![run.tool.clone()], facts].concat().join(", ");
    writeln!(out, "{}", paint(&escape::terminal(&line), Tone::Dim, options.color))
}

fn records_table(records: &[&Record], options: TextOptions) -> String {
    let mut table = Table::new(&["benchmark", "config", "metric", "median", "95 % interval", "n", "spread"], options.color).right_align(&[3, 4, 5, 6]);
    for record in records {
        let summary = &record.summary;
        let scale = Scale::for_value(summary.median, &record.metric.unit);
        let interval = summary.low.zip(summary.high).map_or("–".to_owned(), |(low, high)| format!("{} – {}", scale.number(low), scale.number(high)));
        let spread = summary.stddev.filter(|_| summary.median != 0.0).map_or("–".to_owned(), |stddev| format!("{} %", significant(100.0 * stddev / summary.median.abs(), 2)));
        table.row(vec![
            escape::terminal_short(record.benchmark.as_str(), 60),
            escape::terminal_short(&record.config.to_string(), 60),
            escape::terminal_short(record.metric.name.as_str(), 40),
            scale.show(summary.median),
            interval,
            summary.n.to_string(),
            spread,
        ]);
    }
    table.render(options.width)
}

fn record_notes(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let name = format!("{} {} {}", record.benchmark, record.config, record.metric.name);
    for warning in &record.warnings {
        writeln!(out, "  {}: {}", escape::terminal(&name), sample_warning(warning))?;
    }
    match &record.barred {
        Some(reason) => writeln!(out, "  {}: never a baseline: {}", escape::terminal(&name), escape::terminal(reason)),
        None => Ok(()),
    }
}

/// A sampling warning in words.
pub fn sample_warning(warning: &SampleWarning) -> String {
    match warning {
        SampleWarning::Outliers { mild, severe } => format!("{severe} severe and {mild} mild outliers: something else was running"),
        SampleWarning::Drift { percent } => format!("drifted by {} % while it was measured", significant(*percent, 3)),
        SampleWarning::WideInterval { percent } => format!("still uncertain by ±{} % when time or count ran out", significant(*percent, 3)),
        SampleWarning::SlowFirst => "the first execution was much slower than the rest: give it more warm-up".to_owned(),
        SampleWarning::TooShort => "so short that starting the process dominates it".to_owned(),
        SampleWarning::Throttled { dropped } => format!("{dropped} samples dropped because the device was throttled"),
    }
}

fn excuse_lines(out: &mut dyn Write, excuse: &Excuse) -> io::Result<()> {
    let scope = &excuse.scope;
    let what = scope.benchmark.as_ref().map_or("every benchmark".to_owned(), |name| name.to_string());
    let config = if scope.config.is_empty() { String::new() } else { format!(" [{}]", scope.config) };
    let metric = scope.metric.as_ref().map_or(String::new(), |name| format!(" {name}"));
    let line = format!("excuse for {what}{config}{metric} by {} on {}: {}", excuse.author.name, excuse.time.format("%Y-%m-%d"), excuse.reason);
    writeln!(out, "{}", escape::terminal(&line))?;
    if let Some(until) = excuse.until {
        writeln!(out, "  up to {} (base unit of the metric)", quantity(until, &crate::model::Unit::ONE))?;
    }
    match excuse.expires {
        Some(expires) => writeln!(out, "  until {}", expires.format("%Y-%m-%d")),
        None => Ok(()),
    }
}
