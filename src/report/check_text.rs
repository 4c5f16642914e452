//! `check` for people: what holds and what does not, then what to do next.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::number::{self, Scale, change};
use super::table::{Table, Tone, paint, wrapped};
use super::warnings::warnings_of;
use super::words::{self, SHORT_ID};
use super::{Notice, escape};
use crate::judge::{Judgement, SeriesVerdict, Verdict};

/// How the text is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextOptions {
    /// Columns to fill; `None` does not cut.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
    /// Every series and every reason.
    pub verbose: bool,
}

/// Series that hold are only counted where a check has more rows than this.
const FEW_SERIES: usize = 20;

/// Writes verdict, table, warnings and the next step.
pub fn check(out: &mut dyn Write, judgement: &Judgement, notices: &[Notice], options: TextOptions) -> io::Result<()> {
    headline(out, judgement, options)?;
    let shown: Vec<&SeriesVerdict> =
        by_severity(judgement).into_iter().filter(|series| is_shown(series, judgement, options)).collect();
    if !shown.is_empty() {
        writeln!(out)?;
        out.write_all(table(&shown, options).as_bytes())?;
    }
    let hidden = judgement.series.len() - shown.len();
    if hidden > 0 {
        writeln!(out, "{}", paint(&format!("{hidden} more series hold (-v shows them)"), Tone::Dim, options.color))?;
    }
    for remark in words::followers(judgement) {
        let remark = wrapped(&escape::terminal(&remark), "", options.width);
        writeln!(out, "{}", paint(&remark, Tone::Dim, options.color))?;
    }
    details(out, &shown, options)?;
    warnings(out, judgement, notices, options)?;
    next_step(out, judgement, options)
}

fn by_severity(judgement: &Judgement) -> Vec<&SeriesVerdict> {
    let mut series: Vec<_> = judgement.series.iter().collect();
    series.sort_by_key(|series| std::cmp::Reverse(series.verdict));
    series
}

fn is_shown(series: &SeriesVerdict, judgement: &Judgement, options: TextOptions) -> bool {
    options.verbose || judgement.series.len() <= FEW_SERIES || !matches!(series.verdict, Verdict::Pass | Verdict::New)
}

/// The colour of a verdict.
pub fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Regression => Tone::Bad,
        Verdict::Undecided | Verdict::NotMeasured => Tone::Warn,
        Verdict::Improvement => Tone::Good,
        Verdict::Pass | Verdict::New => Tone::Plain,
    }
}

fn headline(out: &mut dyn Write, judgement: &Judgement, options: TextOptions) -> io::Result<()> {
    let verdict = judgement.verdict();
    let against = words::against(judgement);
    let label = words::verdict(verdict);
    let painted = paint(label, if verdict == Verdict::Pass { Tone::Good } else { tone(verdict) }, options.color);
    let counts = counts(judgement);
    let counted = if judgement.series.len() > 1 { format!(" ({counts})") } else { String::new() };
    let start = format!("{} against {against}:", judgement.candidate.short(SHORT_ID));
    // Wrapped without the colour, which takes no room.
    let line = wrapped(&format!("{start} {label}{counted}"), "", options.width);
    writeln!(out, "{}", line.replacen(&format!("{start} {label}"), &format!("{start} {painted}"), 1))
}

/// `1 regression, 12 pass`.
pub fn counts(judgement: &Judgement) -> String {
    let order =
        [Verdict::Regression, Verdict::NotMeasured, Verdict::Undecided, Verdict::Improvement, Verdict::New, Verdict::Pass];
    let counted = order.iter().filter_map(|verdict| {
        let count = judgement.series.iter().filter(|series| series.verdict == *verdict).count();
        let noun = matches!(verdict, Verdict::Regression | Verdict::Improvement);
        let word = words::verdict(*verdict);
        (count > 0).then(|| if noun { number::count(count, word) } else { format!("{count} {word}") })
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn table(shown: &[&SeriesVerdict], options: TextOptions) -> String {
    let with_config = shown.iter().any(|series| !series.key.config.is_empty());
    let several_testbeds = shown.iter().any(|series| series.key.testbed != shown[0].key.testbed);
    let mut header = vec!["benchmark"];
    header.extend(with_config.then_some("config"));
    header.push("metric");
    header.extend(several_testbeds.then_some("testbed"));
    let numbers = header.len();
    header.extend(["baseline", "current", "change", "verdict"]);
    let mut table = Table::new(&header, options.color).right_align(&[numbers, numbers + 1, numbers + 2]).keep(numbers + 3);
    for series in shown {
        let mut row = vec![escape::terminal_short(series.key.benchmark.as_str(), 60)];
        row.extend(with_config.then(|| escape::terminal_short(&series.key.config.to_string(), 60)));
        row.push(escape::terminal_short(series.metric.name.as_str(), 40));
        row.extend(several_testbeds.then(|| escape::terminal_short(&series.key.testbed, 40)));
        row.extend(numbers_of(series, options.color));
        table.row(row);
    }
    table.render(options.width)
}

fn numbers_of(series: &SeriesVerdict, color: bool) -> [String; 4] {
    let known =
        series.baseline.as_ref().map(|baseline| baseline.value).or(series.candidate.as_ref().map(|estimate| estimate.value));
    let scale = Scale::for_value(known.unwrap_or(0.0), &series.metric.unit);
    let dash = || "–".to_owned();
    let baseline = series.baseline.as_ref().map_or_else(dash, |baseline| scale.show(baseline.value));
    let current = series.candidate.as_ref().map_or_else(dash, |estimate| scale.show(estimate.value));
    let moved = series.change_percent.map_or_else(dash, change);
    let excused = if series.excuse.is_some() { " (excused)" } else { "" };
    let verdict = format!("{}{}{excused}", words::verdict(series.verdict), words::confirmed(series));
    let tone = tone(series.verdict);
    [baseline, current, paint(&moved, tone, color), paint(&verdict, tone, color)]
}

fn details(out: &mut dyn Write, shown: &[&SeriesVerdict], options: TextOptions) -> io::Result<()> {
    let several_testbeds = shown.iter().any(|series| series.key.testbed != shown[0].key.testbed);
    for series in shown {
        let excuse = series.excuse.as_ref().map(words::excused);
        let found = if is_explained(series, options) { words::findings(series) } else { Vec::new() };
        let lines: Vec<String> = found.into_iter().chain(excuse).collect();
        if lines.is_empty() {
            continue;
        }
        let on = if several_testbeds { format!(" on {}", series.key.testbed) } else { String::new() };
        let title = format!("{}{on}", words::series_name(&series.key));
        writeln!(out, "\n{}", paint(&escape::terminal(&title), Tone::Strong, options.color))?;
        for line in lines {
            writeln!(out, "{}", wrapped(&escape::terminal(&line), "  ", options.width))?;
        }
    }
    let explained: Vec<&SeriesVerdict> = shown.iter().copied().filter(|series| is_explained(series, options)).collect();
    // With a regression to be doubted, the same command stands among what to do next.
    let is_said_below = shown.iter().any(|series| series.verdict == Verdict::Regression && words::can_be_confirmed(series));
    let offers = if is_said_below { Vec::new() } else { words::offers(&explained) };
    if !offers.is_empty() {
        writeln!(out)?;
    }
    offers.iter().try_for_each(|offer| writeln!(out, "{}", wrapped(offer, "", options.width)))
}

/// Whether the text says why the verdict is what it is.
fn is_explained(series: &SeriesVerdict, options: TextOptions) -> bool {
    options.verbose || matches!(series.verdict, Verdict::Regression | Verdict::Undecided)
}

fn warnings(out: &mut dyn Write, judgement: &Judgement, notices: &[Notice], options: TextOptions) -> io::Result<()> {
    let of_series = judgement.series.iter().flat_map(warnings_of);
    let all: Vec<Notice> = notices.iter().cloned().chain(of_series).collect();
    if !all.is_empty() {
        writeln!(out)?;
    }
    all.iter().try_for_each(|notice| write_wrapped(out, notice, options))
}

/// `warning: what` and, on a second line, what to do.
pub fn write_notice(out: &mut dyn Write, notice: &Notice, color: bool) -> io::Result<()> {
    write_wrapped(out, notice, TextOptions { color, ..TextOptions::default() })
}

fn write_wrapped(out: &mut dyn Write, notice: &Notice, options: TextOptions) -> io::Result<()> {
    // Wrapped without the colour, which takes no room.
    let line = |label: &str, tone, text: &str, indent: &str| {
        let text = wrapped(&format!("{label} {}", escape::terminal(text)), indent, options.width);
        text.replacen(label, &paint(label, tone, options.color), 1)
    };
    writeln!(out, "{}", line("warning:", Tone::Warn, &notice.message, ""))?;
    match &notice.hint {
        Some(hint) => writeln!(out, "{}", line("hint:", Tone::Dim, hint, "  ")),
        None => Ok(()),
    }
}

/// Longer lists of commands are not read.
const MOST_EXCUSES: usize = 3;

/// The benchmarks to excuse, as a shell takes them; a placeholder where many regressed.
fn regressed(judgement: &Judgement) -> Vec<String> {
    let series = judgement.series.iter().filter(|series| series.verdict == Verdict::Regression);
    let names: BTreeSet<&str> = series.map(|series| series.key.benchmark.as_str()).collect();
    if names.len() > MOST_EXCUSES {
        return vec!["BENCHMARK".to_owned()];
    }
    names.into_iter().map(|name| escape::terminal(&shell_words::quote(name)).into_owned()).collect()
}

fn next_step(out: &mut dyn Write, judgement: &Judgement, options: TextOptions) -> io::Result<()> {
    let commit = judgement.candidate.short(SHORT_ID);
    match judgement.verdict() {
        Verdict::Regression => {
            let regressed_series = || judgement.series.iter().filter(|series| series.verdict == Verdict::Regression);
            let is_open = regressed_series().any(words::can_be_confirmed);
            let fix = if is_open { "measure it again in turn with the baseline, fix it" } else { "fix it and measure again" };
            let ways = format!("See what changed, {fix}, or accept the loss:");
            writeln!(out, "\n{}", wrapped(&ways, "", options.width))?;
            for command in words::explain_commands(regressed_series().map(|series| &series.key), judgement.candidate) {
                writeln!(out, "  {command}")?;
            }
            if is_open {
                writeln!(out, "  git ratchet check --confirm {commit}")?;
            }
            let mut names = regressed(judgement).into_iter();
            names.try_for_each(|name| writeln!(out, "  git ratchet excuse {name} --reason \"…\" --commit {commit}"))
        }
        Verdict::NotMeasured => writeln!(
            out,
            "\nMeasure this commit, or fetch what others measured:\n  git ratchet bench     runs the benchmarks of ratchet.toml\n  git ratchet record    takes the results of another tool\n  git ratchet fetch     brings the results of the remote"
        ),
        _ => Ok(()),
    }
}
