//! `tune` for people: the best points, what the pairs prove, and the change of the manifest that is suggested.

use std::io::{self, Write};

use super::check_text::{TextOptions, write_notice};
use super::escape::{terminal, terminal_short};
use super::explain_text::untabbed;
use super::number::{Scale, change, count, significant};
use super::table::{Table, Tone, paint};
use super::tuning::{Cause, Ended, Finalist, Source, Time, TunedPoint, Tuning};
use crate::model::{Config, Unit};
use crate::tune::LEAST_GAIN_PERCENT;

/// Points that are shown.
const MOST_ROWS: usize = 10;

/// Writes the result.
pub fn tuning(out: &mut dyn Write, tuning: &Tuning, options: TextOptions) -> io::Result<()> {
    let strong = |text: &str| paint(&terminal(text), Tone::Strong, options.color);
    let dim = |text: &str| paint(&terminal(text), Tone::Dim, options.color);
    writeln!(out, "{}", strong(&title(tuning)))?;
    writeln!(out, "{}", dim(&about(tuning)))?;
    writeln!(out)?;
    out.write_all(best(tuning, options).render(options.width).as_bytes())?;
    if tuning.timed() > MOST_ROWS {
        writeln!(out, "{}", dim(&format!("…and {} more; --output points.json has them all", tuning.timed() - MOST_ROWS)))?;
    }
    for line in failures(tuning) {
        writeln!(out, "{}", paint(&terminal_short(&line, 300), Tone::Warn, options.color))?;
    }
    if tuning.configs.len() > 1 {
        writeln!(out, "\n{}", strong("The best point of each config"))?;
        of_configs(tuning, options).map_or(Ok(()), |table| out.write_all(table.render(options.width).as_bytes()))?;
    }
    if !tuning.finalists.is_empty() {
        writeln!(out, "\n{}", strong("Held against the default, in turn, in random order"))?;
        out.write_all(finalists(tuning, options).render(options.width).as_bytes())?;
    }
    let tone = if tuning.suggestion.is_some() { Tone::Good } else { Tone::Plain };
    writeln!(out, "\n{}", paint(&terminal(&verdict(tuning)), tone, options.color))?;
    diff(out, tuning, options)?;
    tuning.notices.iter().try_for_each(|notice| write_notice(out, notice, options.color))
}

/// `gemm [config=square_4k …] on NVIDIA H200`.
pub fn title(tuning: &Tuning) -> String {
    let configs = match tuning.configs.as_slice() {
        [only] if only.is_empty() => String::new(),
        [only] => format!(" [{only}]"),
        several => format!(", {}", count(several.len(), "config")),
    };
    format!("{}{configs} on {} ({})", tuning.benchmark, tuning.testbed, tuning.arch)
}

/// What was tried of what there is, in how long.
pub fn about(tuning: &Tuning) -> String {
    let ended = match tuning.ended {
        Ended::Exhausted => "every valid point was tried",
        Ended::Budget => "the budget was used up",
        Ended::Interrupted => "interrupted",
    };
    let and_default = if tuning.default_is_outside { " and the default" } else { "" };
    let from = |source: Source| {
        let is_so = |point: &&TunedPoint| point.time(0).is_some_and(|time| time.source == source);
        tuning.points.iter().filter(is_so).count()
    };
    let mut sources = Vec::new();
    for (source, words) in
        [(Source::Dropped, "dropped early"), (Source::SameCode, "with the code of another"), (Source::Kept, "kept from before")]
    {
        let number = from(source);
        if number > 0 {
            sources.push(format!("{number} {words}"));
        }
    }
    let sources = if sources.is_empty() { String::new() } else { format!(" ({})", sources.join(", ")) };
    format!(
        "{} of {} valid points{and_default}{sources}, of {} combinations; {} of {}: {ended}; seed {}",
        tuning.points.iter().filter(|point| !(tuning.default_is_outside && point.is_default)).count(),
        tuning.valid,
        tuning.combinations,
        duration(tuning.spent_seconds),
        duration(tuning.budget_seconds),
        tuning.seed
    )
}

/// `1:05 min`, `12 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{}:{:02} min", whole / 60, whole % 60) }
}

/// The tunables whose values differ between points: the others tell nothing.
fn varying(tuning: &Tuning) -> Vec<&str> {
    let Some(first) = tuning.points.first() else { return Vec::new() };
    let differs = |name: &&str| tuning.points.iter().any(|point| point.tunables.get(name) != first.tunables.get(name));
    first.tunables.iter().map(|(name, _)| name).filter(differs).collect()
}

fn best(tuning: &Tuning, options: TextOptions) -> Table {
    let names = varying(tuning);
    let shown: Vec<String> = names.iter().map(|name| terminal_short(name, 20)).collect();
    let time = if tuning.configs.len() > 1 { "mean time" } else { "time" };
    let measures = [time, "±", "change", "registers", "spills", "shared", "occupancy", ""];
    let header: Vec<&str> = shown.iter().map(String::as_str).chain(measures).collect();
    let mut table = Table::new(&header, options.color).right_align(&(0..header.len() - 1).collect::<Vec<_>>());
    let of_default = tuning.default_point();
    let timed: Vec<&TunedPoint> = tuning.points.iter().filter(|point| point.score.is_some()).collect();
    let is_below = |point: &TunedPoint| !timed.iter().take(MOST_ROWS).any(|shown| shown.tunables == point.tunables);
    let rows = timed.iter().copied().take(MOST_ROWS).chain(of_default.filter(|point| is_below(point)));
    for point in rows {
        let value = |name: &&str| terminal_short(point.tunables.get(name).unwrap_or("–"), 20);
        let mut row: Vec<String> = names.iter().map(value).collect();
        row.extend(measured(point, of_default, options.color));
        row.extend(code(point));
        row.push(if point.is_default { paint("default", Tone::Strong, options.color) } else { String::new() });
        table.row(row);
    }
    table
}

/// Time, half width of its interval, change against the default.
fn measured(point: &TunedPoint, default: Option<&TunedPoint>, color: bool) -> [String; 3] {
    let dash = || "–".to_owned();
    let Some(score) = point.score else {
        return [point.failure().map_or_else(dash, |(cause, _)| words(cause).to_owned()), dash(), dash()];
    };
    let half = point.time(0).filter(|_| point.outcomes.len() == 1).and_then(half_width_percent);
    let known = default.and_then(|default| default.score).filter(|_| !point.is_default);
    let moved = known.map(|known| 100.0 * (1.0 - score / known));
    let tone = |moved: f64| if moved > 0.0 { Tone::Good } else { Tone::Plain };
    [
        Scale::for_value(score, &Unit::SECOND).show(score),
        half.map_or_else(String::new, |half| format!("{} %", significant(half, 2))),
        moved.map_or_else(dash, |moved| paint(&change(moved), tone(moved), color)),
    ]
}

fn half_width_percent(time: &Time) -> Option<f64> {
    let (low, high) = time.low.zip(time.high)?;
    Some(50.0 * (high - low) / time.median)
}

/// Registers, spills, shared memory, occupancy.
pub fn code(point: &TunedPoint) -> [String; 4] {
    let dash = || "–".to_owned();
    let Some(code) = &point.code else { return [dash(), dash(), dash(), dash()] };
    [
        code.registers.to_string(),
        if code.spill_bytes == 0 { "0".to_owned() } else { format!("{} B", code.spill_bytes) },
        code.shared_bytes.map_or_else(dash, |bytes| super::number::quantity(bytes as f64, &Unit::BYTE)),
        code.occupancy_percent.map_or_else(dash, |percent| format!("{} %", significant(percent, 3))),
    ]
}

/// One line for each cause of failures.
pub fn failures(tuning: &Tuning) -> Vec<String> {
    let line = |(cause, number, message): (Cause, usize, &str)| {
        let (points, first) = (count(number, "point"), message.lines().next().unwrap_or_default());
        // Some messages begin with the cause.
        let cause = if first.starts_with(words(cause)) { String::new() } else { format!("{}: ", words(cause)) };
        format!("{points}: {cause}{first}")
    };
    tuning.failures().into_iter().map(line).collect()
}

fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::NoPlan => "cannot be planned",
        Cause::CompileError => "does not compile",
        Cause::DoesNotFit => "does not fit",
        Cause::OutOfMemory => "out of memory",
        Cause::LaunchFailed => "failed to launch",
        Cause::TimedOut => "timed out",
        Cause::WrongResult => "wrong result",
        Cause::Throttled => "throttled",
    }
}

/// The config in the shortest words: its name, where it has one.
pub fn config_name(config: &Config) -> String {
    config.get("config").map_or_else(|| config.to_string(), str::to_owned)
}

fn of_configs(tuning: &Tuning, options: TextOptions) -> Option<Table> {
    let default = tuning.default_point();
    let mut table = Table::new(&["config", "best", "time", "default", "change"], options.color).right_align(&[2, 3, 4]);
    for (place, config) in tuning.configs.iter().enumerate() {
        let timed = tuning.points.iter().filter_map(|point| Some((point, point.time(place)?)));
        let (point, time) = timed.min_by(|one, other| one.1.median.total_cmp(&other.1.median))?;
        let of_default = default.and_then(|default| default.time(place));
        let scale = Scale::for_value(time.median, &Unit::SECOND);
        table.row(vec![
            terminal_short(&config_name(config), 40),
            terminal_short(&point.tunables.to_string(), 80),
            scale.show(time.median),
            of_default.map_or_else(|| "–".to_owned(), |time| scale.show(time.median)),
            of_default.map_or_else(|| "–".to_owned(), |known| change(100.0 * (1.0 - time.median / known.median))),
        ]);
    }
    Some(table)
}

fn finalists(tuning: &Tuning, options: TextOptions) -> Table {
    let mut table =
        Table::new(&["point", "config", "change", "95 %", "p", "pairs", ""], options.color).right_align(&[2, 3, 4, 5]);
    for finalist in &tuning.finalists {
        for row in pairs(finalist, tuning) {
            table.row(row.into_iter().map(|cell| terminal_short(&cell, 100)).collect());
        }
    }
    table
}

/// A row of texts for each config of a finalist, not escaped.
pub fn pairs(finalist: &Finalist, tuning: &Tuning) -> Vec<Vec<String>> {
    let point = tuning.points.get(finalist.point).map_or_else(String::new, |point| changed(point, tuning));
    if let Some(why) = &finalist.failure {
        let dash = || "–".to_owned();
        let why = why.lines().next().unwrap_or_default().to_owned();
        return vec![vec![point, String::new(), dash(), dash(), dash(), dash(), why]];
    }
    let row = |(evidence, config): (&crate::tune::Evidence, &Config)| {
        let interval = evidence.low_percent.zip(evidence.high_percent);
        vec![
            point.clone(),
            config_name(config),
            change(evidence.change_percent),
            interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("{} to {}", change(low), change(high))),
            if evidence.p < 1e-4 { "< 0.0001".to_owned() } else { significant(evidence.p, 2) },
            evidence.pairs.to_string(),
            if evidence.is_proven(tuning.finalists.len()) { "proven".to_owned() } else { "not proven".to_owned() },
        ]
    };
    finalist.evidence.iter().zip(&tuning.configs).map(row).collect()
}

/// What differs from the default.
fn changed(point: &TunedPoint, tuning: &Tuning) -> String {
    let Some(default) = tuning.default_point() else { return point.tunables.to_string() };
    let differs = |(name, value): &(&str, &str)| default.tunables.get(name) != Some(*value);
    let changed = point.tunables.iter().filter(differs).map(|(name, value)| format!("{name}={value}"));
    changed.collect::<Vec<_>>().join(" ")
}

/// What may be said, in a sentence.
pub fn verdict(tuning: &Tuning) -> String {
    let Some(point) = tuning.suggestion.and_then(|place| tuning.points.get(place)) else {
        let least = significant(LEAST_GAIN_PERCENT, 2);
        return match (tuning.ended, tuning.finalists.is_empty()) {
            _ if tuning.timed() == 0 => "no point could be measured".to_owned(),
            (Ended::Interrupted, _) => {
                "nothing is suggested: it was stopped before the best points were held against the default".to_owned()
            }
            (_, true) => "the default stands: no point that was measured is faster".to_owned(),
            (_, false) => format!("the default stands: no gain of {least} % or more is proven"),
        };
    };
    match tuning.gain_percent {
        Some(gain) => format!("suggested: {}, {} against the default", changed(point, tuning), change(gain)),
        None => format!(
            "suggested: {}, the fastest of all; the default fails, so there is nothing to hold it against",
            changed(point, tuning)
        ),
    }
}

fn diff(out: &mut dyn Write, tuning: &Tuning, options: TextOptions) -> io::Result<()> {
    let Some(diff) = &tuning.diff else { return Ok(()) };
    writeln!(out)?;
    for line in diff.lines() {
        let tone = match line.as_bytes().first() {
            Some(b'@') => Tone::Place,
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => Tone::Strong,
            Some(b'-') => Tone::Removed,
            Some(b'+') => Tone::Good,
            _ => Tone::Plain,
        };
        writeln!(out, "{}", paint(&untabbed(line), tone, options.color))?;
    }
    writeln!(out, "\n{}", paint("nothing was changed; --output tuned.diff writes this for git apply", Tone::Dim, options.color))
}
