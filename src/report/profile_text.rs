//! Profiles for people: the counters of one kernel, and what differs between two.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape;
use super::number::{change, count, significant};
use super::table::{Table, Tone, paint};
use super::words::{self, SHORT_ID};
use crate::model::{BenchmarkName, Config, KernelProfile, ObjectId, Profile, Unit};
use crate::profile::{Change, Finding, KEY_METRICS, STALLS, duration, stalls};

/// Stall reasons that are shown; the rest rarely matters.
const SHOWN_STALLS: usize = 5;

/// Findings that are worded unless everything is asked for.
const SHOWN_FINDINGS: usize = 8;

/// Longest kernel name in a heading. Names of C++ templates are long.
const SHOWN_KERNEL_CHARS: usize = 80;

/// Writes the counters of a profile, each with its title.
pub fn profile(out: &mut dyn Write, profile: &Profile, options: TextOptions) -> io::Result<()> {
    let counted = &profile.counted;
    let title = format!(
        "profile of {}: {}, {} launch{}",
        words::point_name(&profile.benchmark, &profile.config),
        escape::terminal_short(&counted.kernel, SHOWN_KERNEL_CHARS),
        counted.launches,
        if counted.launches == 1 { "" } else { "es" }
    );
    writeln!(out, "{}", paint(&escape::terminal(&title), Tone::Strong, options.color))?;
    out.write_all(counters(counted, options).as_bytes())?;
    match &profile.report {
        Some(file) => writeln!(out, "{}", paint(&escape::terminal(&format!("report: {}", file.path)), Tone::Dim, options.color)),
        None => Ok(()),
    }
}

fn counters(counted: &KernelProfile, options: TextOptions) -> String {
    let mut table = Table::new(&["counter", "value"], options.color).right_align(&[1]);
    for metric in KEY_METRICS {
        if let Some(counter) = counted.metrics.get(metric.name) {
            table.row(vec![metric.title.to_owned(), shown(counter.value, &counter.unit)]);
        }
    }
    for (stall, wait) in stalls(counted).into_iter().take(SHOWN_STALLS) {
        table.row(vec![stall.title.to_owned(), shown(wait, &Unit::ONE)]);
    }
    table.render(options.width)
}

/// Two profiles of one kernel.
pub struct ComparedProfile<'a> {
    /// The benchmark.
    pub benchmark: &'a BenchmarkName,
    /// The point of it.
    pub config: &'a Config,
    /// The testbed's key.
    pub testbed: &'a str,
    /// The older one.
    pub before: &'a KernelProfile,
    /// The newer one.
    pub after: &'a KernelProfile,
    /// What changed, the most telling first.
    pub findings: &'a [Finding],
}

/// Writes what differs between the profiles of two commits: a sentence for each finding, then every counter.
pub fn diff(
    out: &mut dyn Write,
    (before, after): (ObjectId, ObjectId),
    compared: &[ComparedProfile],
    options: TextOptions,
) -> io::Result<()> {
    writeln!(out, "profiles of {} → {}", before.short(SHORT_ID), after.short(SHORT_ID))?;
    for entry in compared {
        writeln!(out)?;
        heading(out, entry, options)?;
        findings(out, entry.findings, options)?;
        out.write_all(side_by_side(entry, options).as_bytes())?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, entry: &ComparedProfile, options: TextOptions) -> io::Result<()> {
    let point = words::point_name(&entry.benchmark, entry.config);
    let kernel = escape::terminal_short(&entry.after.kernel, SHOWN_KERNEL_CHARS);
    let title = format!("{point}: {kernel} on {}", entry.testbed);
    writeln!(out, "{}", paint(&escape::terminal(&title), Tone::Strong, options.color))?;
    let Some(duration) = duration(entry.before, entry.after) else { return Ok(()) };
    let tone = tone(duration.is_better());
    let percent = duration.percent().map_or(String::new(), |percent| format!(" ({})", change(percent)));
    writeln!(out, "{}", paint(&format!("{}{percent}", change_words(&duration)), tone, options.color))
}

fn findings(out: &mut dyn Write, findings: &[Finding], options: TextOptions) -> io::Result<()> {
    if findings.is_empty() {
        return writeln!(out, "  no counter differs by more than two profiles of the same code do");
    }
    let most = if options.verbose { findings.len() } else { SHOWN_FINDINGS };
    for finding in findings.iter().take(most) {
        let text = sentence(finding);
        writeln!(out, "  {}", paint(&text, tone(finding.cause.is_better()), options.color))?;
    }
    match findings.len().saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "  and {} (-v words them)", count(more, "smaller change")),
    }
}

fn side_by_side(entry: &ComparedProfile, options: TextOptions) -> String {
    let mut table = Table::new(&["counter", "before", "after", "change"], options.color).right_align(&[1, 2, 3]);
    for metric in KEY_METRICS.iter().chain(STALLS) {
        let values = [entry.before, entry.after].map(|side| side.metrics.get(metric.name));
        if values.iter().all(Option::is_none) {
            continue;
        }
        let cells = values.map(|counter| counter.map_or("–".to_owned(), |counter| shown(counter.value, &counter.unit)));
        let [before, after] = cells;
        let difference = match values {
            [Some(old), Some(new)] if old.unit == new.unit => difference(old.value, new.value, &new.unit),
            _ => "–".to_owned(),
        };
        table.row(vec![metric.title.to_owned(), before, after, difference]);
    }
    table.render(options.width)
}

/// How much it grew or shrank. No word about better or worse: that depends on what else moved.
fn difference(before: f64, after: f64, unit: &Unit) -> String {
    if before == after {
        return "–".to_owned();
    }
    let signed = |text: String| text.replace('-', "−");
    if *unit == Unit::PERCENT {
        let points = after - before;
        return signed(format!("{}{} points", if points > 0.0 { "+" } else { "" }, significant(points, 2)));
    }
    if before == 0.0 {
        return "new".to_owned();
    }
    signed(format!("{:+.1} %", 100.0 * (after - before) / before.abs()))
}

fn tone(is_better: Option<bool>) -> Tone {
    match is_better {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Plain,
    }
}

/// `registers 64 → 128: occupancy 50 % → 25 %`.
pub fn sentence(finding: &Finding) -> String {
    let effects: Vec<String> = finding.effects.iter().map(change_words).collect();
    let cause = change_words(&finding.cause);
    if effects.is_empty() { cause } else { format!("{cause}: {}", effects.join(", ")) }
}

fn change_words(change: &Change) -> String {
    format!("{} {} → {}", change.metric.title, shown(change.before, &change.unit), shown(change.after, &change.unit))
}

/// A value with three significant digits and its unit. Hardware counters are not known to more.
fn shown(value: f64, unit: &Unit) -> String {
    let (divisor, suffix) = unit.scaled_for(value);
    let number = significant(value / divisor, 3);
    if suffix.is_empty() { number } else { format!("{number} {suffix}") }
}
