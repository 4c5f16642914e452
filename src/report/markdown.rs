//! A report as markdown, for a comment on a pull request and for a job summary: the verdict in one line, what to do next,
//! then a table for each kind of verdict, worst first.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{markdown, markdown_code, terminal_short};
use super::number::{Scale, change};
use super::overview::{Overview, TestbedEntry, point_name};
use super::sparkline::sparkline;
use super::warnings::warnings_of;
use super::words::{self, SHORT_ID};
use super::{Notice, check_text};
use crate::judge::{Estimate, ExcuseEffect, SeriesVerdict, Verdict};

/// A comment on GitHub holds 65,536 characters. Tables end here, and what follows has the rest.
const MOST_OF_TABLES: usize = 56_000;
const MOST_OF_WARNINGS: usize = 62_000;
const MOST: usize = 65_000;

/// The title of the only section that is folded.
const UNCHANGED: &str = "Unchanged";

/// Commits in a sparkline.
const SPARKLINE_WIDTH: usize = 20;

/// Writes the report.
pub fn report(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    let mut text = headline(overview);
    next_steps(&mut text, overview);
    for (verdict, title) in [
        (Verdict::Regression, "Regressions"),
        (Verdict::NotMeasured, "Not measured"),
        (Verdict::Improvement, "Improvements (the baseline is ratcheted)"),
        (Verdict::New, "New"),
        (Verdict::Undecided, "Undecided"),
    ] {
        section(&mut text, overview, &sorted(overview, verdict), title);
    }
    // A loss that somebody accepted is neither unchanged nor folded away.
    let (excused, unchanged): (Vec<_>, Vec<_>) =
        sorted(overview, Verdict::Pass).into_iter().partition(|series| words::is_forgiven(series));
    section(&mut text, overview, &excused, "Excused");
    section(&mut text, overview, &unchanged, UNCHANGED);
    for remark in words::followers(&overview.judgement) {
        let _ = writeln!(text, "\n{}.", markdown(&remark));
    }
    warnings(&mut text, overview);
    testbeds(&mut text, overview);
    out.write_all(text.as_bytes())
}

fn headline(overview: &Overview) -> String {
    let judgement = &overview.judgement;
    let verdict = judgement.verdict();
    let symbol = match verdict {
        Verdict::Regression => "❌",
        Verdict::Undecided | Verdict::NotMeasured => "⚠️",
        Verdict::Improvement => "🚀",
        Verdict::Pass | Verdict::New => "✅",
    };
    let counts = check_text::counts(judgement);
    let counted = if counts.is_empty() { String::new() } else { format!(": {counts}") };
    format!(
        "## {symbol} git-ratchet: {}\n\n`{}` against {}{counted}\n",
        words::verdict(verdict),
        judgement.candidate.short(SHORT_ID),
        words::against(judgement)
    )
}

fn next_steps(text: &mut String, overview: &Overview) {
    let judgement = &overview.judgement;
    let next = match judgement.verdict() {
        Verdict::Regression => "Fix it and measure again, or accept the loss with a reason. See what changed:\n",
        Verdict::NotMeasured => "No measurement of this commit was found: run `git ratchet bench` and check again.\n",
        Verdict::Undecided => {
            "The evidence does not decide: make more runs (`git ratchet bench --runs 5`, or record them) and check again.\n"
        }
        _ => return,
    };
    let _ = write!(text, "\n{next}");
    let regressions = sorted(overview, Verdict::Regression);
    let explain = words::explain_commands(regressions.iter().map(|series| &series.key), judgement.candidate);
    let excuse = regressions.first().map(|series| words::excuse_command(&series.key, judgement.candidate));
    for command in explain.iter().chain(&excuse) {
        let _ = writeln!(text, "- {}", markdown_code(command));
    }
}

/// The series with this verdict, the worst first.
fn sorted(overview: &Overview, verdict: Verdict) -> Vec<&SeriesVerdict> {
    let mut rows: Vec<_> = overview.judgement.series.iter().filter(|series| series.verdict == verdict).collect();
    rows.sort_by(|a, b| a.change_percent.unwrap_or(0.0).total_cmp(&b.change_percent.unwrap_or(0.0)));
    rows
}

fn section(text: &mut String, overview: &Overview, rows: &[&SeriesVerdict], title: &str) {
    if rows.is_empty() {
        return;
    }
    let folded = title == UNCHANGED;
    text.push_str(&if folded {
        format!("\n<details><summary>{title} ({})</summary>\n\n", rows.len())
    } else {
        format!("\n### {title}\n\n")
    });
    let names = Names::of(overview);
    text.push_str("| Config | Baseline | Current | Change | Current, 95 % interval | Baseline set at | History |\n");
    text.push_str("|---|---:|---:|---:|---|---|---|\n");
    for (at, series) in rows.iter().enumerate() {
        let row = row(overview, series, names);
        if text.len() + row.len() > MOST_OF_TABLES {
            let _ = writeln!(text, "\n…and {} more.", rows.len() - at);
            break;
        }
        text.push_str(&row);
    }
    if folded {
        text.push_str("\n</details>\n");
    }
}

/// What the first cell has to say so that rows can be told apart.
#[derive(Clone, Copy)]
struct Names {
    metric: bool,
    testbed: bool,
}

impl Names {
    fn of(overview: &Overview) -> Self {
        let series = &overview.judgement.series;
        let differ = |by: fn(&SeriesVerdict) -> &str| series.windows(2).any(|pair| by(&pair[0]) != by(&pair[1]));
        let metric = |series: &SeriesVerdict| series.metric.name.as_str() != "time";
        Self { metric: series.iter().any(metric), testbed: differ(|series| &series.key.testbed) }
    }

    fn show(self, series: &SeriesVerdict) -> String {
        let mut name = clipped(&point_name(series.key.benchmark.as_str(), &series.key.config));
        if self.metric {
            name = format!("{name}, {}", terminal_short(series.metric.name.as_str(), 60));
        }
        if self.testbed {
            name = format!("{name}, {}", terminal_short(&series.key.testbed, 60));
        }
        markdown(&name)
    }
}

fn row(overview: &Overview, series: &SeriesVerdict, names: Names) -> String {
    let (baseline, candidate) = (series.baseline.as_ref(), series.candidate.as_ref());
    let value = baseline.map(|baseline| baseline.value).or(candidate.map(|estimate| estimate.value));
    let scale = Scale::for_value(value.unwrap_or(0.0), &series.metric.unit);
    let dash = || "–".to_owned();
    let history = overview.history_of(&series.key).map_or_else(Vec::new, |history| history.value_of_each_commit());
    format!(
        "| {} | {} | {} | **{}**{} | {} | {}{} | {} |\n",
        names.show(series),
        baseline.map_or_else(dash, |baseline| scale.show(baseline.value)),
        candidate.map_or_else(dash, |estimate| scale.show(estimate.value)),
        series.change_percent.map_or_else(dash, change),
        words::confirmed(series),
        candidate.and_then(|estimate| interval(estimate, &scale)).unwrap_or_else(dash),
        set_at(overview, series),
        excuse(series),
        sparkline(&history, SPARKLINE_WIDTH),
    )
}

fn interval(estimate: &Estimate, scale: &Scale) -> Option<String> {
    let (low, high) = estimate.low.zip(estimate.high)?;
    Some(format!("{} to {}", scale.number(low), scale.show(high)))
}

/// Where the baseline was set: commit, day, author.
fn set_at(overview: &Overview, series: &SeriesVerdict) -> String {
    let Some(baseline) = series.baseline.as_ref() else { return "–".to_owned() };
    let set_at = overview.history_of(&series.key).and_then(|history| overview.commits.at(history.set_at?));
    match set_at {
        Some(entry) => format!(
            "{}, {}, {}",
            entry.id.short(SHORT_ID),
            entry.time.format("%Y-%m-%d"),
            markdown(&terminal_short(&entry.author, 60))
        ),
        None => words::commits(&baseline.commits),
    }
}

fn excuse(series: &SeriesVerdict) -> String {
    let Some(applied) = series.excuse.as_ref() else { return String::new() };
    let what = match applied.effect {
        ExcuseEffect::Forgave { .. } => "excused",
        ExcuseEffect::ResetBaseline { .. } => "older levels excused",
    };
    let (author, reason) = (terminal_short(&applied.excuse.author.name, 60), clipped(&applied.excuse.reason));
    format!("; {what} by {}: {}", markdown(&author), markdown(&reason))
}

/// A stranger's text at a length that leaves room for the other rows.
fn clipped(text: &str) -> String {
    terminal_short(text, 160)
}

fn warnings(text: &mut String, overview: &Overview) {
    let of_series = overview.judgement.series.iter().flat_map(warnings_of);
    let all: Vec<Notice> = overview.notices.iter().cloned().chain(of_series).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("\n### Warnings\n\n");
    for (at, notice) in all.iter().enumerate() {
        let hint = notice.hint.as_ref().map_or(String::new(), |hint| format!(" ({})", markdown(&clipped(hint))));
        let line = format!("- {}{hint}\n", markdown(&terminal_short(&notice.message, 400)));
        if text.len() + line.len() > MOST_OF_WARNINGS {
            let _ = writeln!(text, "- …and {} more", all.len() - at);
            return;
        }
        text.push_str(&line);
    }
}

fn testbeds(text: &mut String, overview: &Overview) {
    let judged = |entry: &&TestbedEntry| overview.judgement.series.iter().any(|series| series.key.testbed == entry.key);
    for entry in overview.testbeds.iter().filter(judged) {
        let mut line = format!("\nTestbed: {}", markdown(&clipped(&entry.key)));
        if !entry.changed.is_empty() {
            line.push_str(". Changed since the baseline was measured: ");
            let changes: Vec<String> =
                entry.changed.iter().map(|change| markdown(&clipped(&words::fact_change(change)))).collect();
            line.push_str(&changes.join("; "));
        }
        line.push('\n');
        if text.len() + line.len() > MOST {
            return;
        }
        text.push_str(&line);
    }
}
