//! `log`: series along history, with a sparkline and the best level marked.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::check_text::TextOptions;
use super::escape;
use super::number::{Scale, change, count};
use super::sparkline::sparkline;
use super::table::{Table, Tone, paint, wrapped};
use super::words::{self, SHORT_ID};
use crate::judge::{Baseline, MeasuredRun, Series};
use crate::model::{Excuse, ObjectId};

/// One series and what is known of it.
pub struct LoggedSeries {
    /// The runs, oldest first.
    pub series: Series,
    /// The level that binds now.
    pub baseline: Option<Baseline>,
    /// The newest excuse that covers it.
    pub excuse: Option<Excuse>,
}

/// What a row says of its commit.
#[derive(Debug, Clone)]
pub struct CommitLine {
    /// The commit.
    pub commit: ObjectId,
    /// When it was made.
    pub time: DateTime<Utc>,
    /// First line of its message.
    pub subject: String,
}

const SPARKLINE_WIDTH: usize = 60;

/// Writes each series: its name, a sparkline over all its runs, and a row for each of the newest `most` runs.
pub fn log(
    out: &mut dyn Write,
    logged: &[LoggedSeries],
    commits: &dyn Fn(ObjectId) -> Option<CommitLine>,
    most: usize,
    options: TextOptions,
) -> io::Result<()> {
    for (at, entry) in logged.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        header(out, entry, options)?;
        out.write_all(rows(entry, commits, most, options).as_bytes())?;
        let untrusted = entry.series.excluded.untrusted;
        if untrusted > 0 {
            writeln!(out, "  {} left out: git ratchet show COMMIT", count(untrusted, "untrusted run"))?;
        }
    }
    Ok(())
}

fn header(out: &mut dyn Write, entry: &LoggedSeries, options: TextOptions) -> io::Result<()> {
    let series = &entry.series;
    let name = words::series_name(&series.key);
    let better = format!("{} is better, {}", series.metric.better, series.key.testbed);
    writeln!(
        out,
        "{}  {}",
        paint(&escape::terminal(&name), Tone::Strong, options.color),
        paint(&escape::terminal(&better), Tone::Dim, options.color)
    )?;
    let values: Vec<f64> = series.runs.iter().map(MeasuredRun::value).collect();
    let holds = holders(entry);
    writeln!(out, "  {}", sparkline(&values, SPARKLINE_WIDTH))?;
    if let Some(baseline) = &entry.baseline {
        let scale = Scale::for_value(baseline.value, &series.metric.unit);
        let shown = &holds[holds.len().saturating_sub(SPARKLINE_WIDTH)..];
        let marks: String = shown.iter().map(|held| if *held { '▲' } else { ' ' }).collect();
        let level = format!("best level {}, {}", scale.show(baseline.value), words::held_by(baseline));
        writeln!(out, "  {}  {}", paint(&marks, Tone::Good, options.color), paint(&level, Tone::Good, options.color))?;
    }
    if let Some(excuse) = &entry.excuse {
        let told = wrapped(&escape::terminal(&words::excuse(excuse)), "  ", options.width);
        writeln!(out, "{}", paint(&told, Tone::Dim, options.color))?;
    }
    Ok(())
}

/// Which runs hold the best level.
fn holders(entry: &LoggedSeries) -> Vec<bool> {
    let runs: Vec<_> = entry.series.runs.iter().map(|run| (run.commit, run.value())).collect();
    entry.baseline.as_ref().map_or_else(|| vec![false; runs.len()], |baseline| baseline.holds(&runs))
}

fn rows(entry: &LoggedSeries, commits: &dyn Fn(ObjectId) -> Option<CommitLine>, most: usize, options: TextOptions) -> String {
    let series = &entry.series;
    let reference = entry.baseline.as_ref().map(|baseline| baseline.value);
    let scale = Scale::for_value(reference.or(series.runs.last().map(MeasuredRun::value)).unwrap_or(0.0), &series.metric.unit);
    let mut table = Table::new(&["commit", "date", "value", "95 % interval", "n", "to best", "", "subject"], options.color)
        .right_align(&[2, 3, 4, 5]);
    for (run, holds) in series.runs.iter().zip(holders(entry)).rev().take(most) {
        let line = commits(run.commit);
        let summary = &run.summary;
        table.row(vec![
            run.commit.short(SHORT_ID),
            line.as_ref().map_or_else(|| "–".to_owned(), |line| line.time.format("%Y-%m-%d").to_string()),
            scale.show(run.value()),
            super::show_text::interval(summary, &scale),
            summary.n.to_string(),
            reference.map_or("–".to_owned(), |best| change(series.metric.better.change_percent(best, run.value()))),
            if holds { "▲".to_owned() } else { String::new() },
            line.map_or(String::new(), |line| escape::terminal_short(&line.subject, 60)),
        ]);
    }
    table.render(options.width)
}
