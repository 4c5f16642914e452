//! `check --format markdown` and `--format github`: the table of a pull request, and annotations for GitHub Actions.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{github_property, github_value, markdown};
use super::number::{Scale, change};
use super::words::{self, SHORT_ID};
use super::{Notice, check_text};
use crate::judge::{Judgement, SeriesVerdict, Verdict};

/// A comment on a hosting service may have 65,536 characters; rows beyond this are counted instead.
const MOST_CHARACTERS: usize = 60_000;

/// Writes the verdict in one line, what to do next, then a table per kind of verdict, worst first.
pub fn check(out: &mut dyn Write, judgement: &Judgement, notices: &[Notice]) -> io::Result<()> {
    let mut text = headline(judgement);
    for (verdict, title) in [
        (Verdict::Regression, "Regressions"),
        (Verdict::NotMeasured, "Not measured"),
        (Verdict::Undecided, "Undecided"),
        (Verdict::Improvement, "Improvements (the baseline is ratcheted)"),
        (Verdict::New, "New"),
        (Verdict::Pass, "Unchanged"),
    ] {
        section(&mut text, judgement, verdict, title);
    }
    warnings(&mut text, judgement, notices);
    out.write_all(text.as_bytes())
}

fn headline(judgement: &Judgement) -> String {
    let verdict = judgement.verdict();
    let symbol = match verdict {
        Verdict::Regression => "❌",
        Verdict::Undecided | Verdict::NotMeasured => "⚠️",
        Verdict::Improvement => "🚀",
        Verdict::Pass | Verdict::New => "✅",
    };
    let against = words::against(judgement);
    let next = match verdict {
        Verdict::Regression => "\nFix it and measure again, or accept it: `git ratchet excuse BENCHMARK --reason \"…\"`.\n",
        Verdict::NotMeasured => "\nNo measurement of this commit was found: run `git ratchet bench` and check again.\n",
        Verdict::Undecided => {
            "\nThe evidence does not decide: make more runs with `git ratchet bench --runs 5` and check again.\n"
        }
        _ => "",
    };
    let counts = check_text::counts(judgement);
    let counted = if counts.is_empty() { String::new() } else { format!(" — {counts}") };
    format!(
        "## {symbol} git-ratchet: {}\n\n`{}` against {against}{counted}\n{next}",
        words::verdict(verdict),
        judgement.candidate.short(SHORT_ID)
    )
}

fn section(text: &mut String, judgement: &Judgement, verdict: Verdict, title: &str) {
    let mut rows: Vec<&SeriesVerdict> = judgement.series.iter().filter(|series| series.verdict == verdict).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|a, b| a.change_percent.unwrap_or(0.0).total_cmp(&b.change_percent.unwrap_or(0.0)));
    let folded = matches!(verdict, Verdict::Pass | Verdict::New);
    text.push_str(&if folded {
        format!("\n<details><summary>{title} ({})</summary>\n\n", rows.len())
    } else {
        format!("\n### {title}\n\n")
    });
    text.push_str("| Benchmark | Metric | Baseline | Current | Change | Set at |\n|---|---|---:|---:|---:|---|\n");
    for (at, series) in rows.iter().enumerate() {
        if text.len() > MOST_CHARACTERS {
            let _ = writeln!(text, "\n…and {} more.", rows.len() - at);
            break;
        }
        text.push_str(&row(series));
    }
    if folded {
        text.push_str("\n</details>\n");
    }
}

fn row(series: &SeriesVerdict) -> String {
    let value =
        series.baseline.as_ref().map(|baseline| baseline.value).or(series.candidate.as_ref().map(|estimate| estimate.value));
    let scale = Scale::for_value(value.unwrap_or(0.0), &series.metric.unit);
    let dash = || "–".to_owned();
    let config = if series.key.config.is_empty() { String::new() } else { format!(" {}", series.key.config) };
    let name = clipped(&format!("{}{config}", series.key.benchmark));
    let excuse = series.excuse.as_ref().map_or(String::new(), |applied| {
        format!(" excused by {}: {}", markdown(&clipped(&applied.excuse.author.name)), markdown(&clipped(&applied.excuse.reason)))
    });
    format!(
        "| {} | {} | {} | {} | **{}**{} | {}{excuse} |\n",
        markdown(&name),
        markdown(series.metric.name.as_str()),
        series.baseline.as_ref().map_or_else(dash, |baseline| scale.show(baseline.value)),
        series.candidate.as_ref().map_or_else(dash, |estimate| scale.show(estimate.value)),
        series.change_percent.map_or_else(dash, change),
        words::confirmed(series),
        series.baseline.as_ref().map_or_else(dash, |baseline| words::commits(&baseline.commits)),
    )
}

/// A stranger's text at a length that leaves room for the other rows.
fn clipped(text: &str) -> String {
    super::escape::terminal_short(text, 160)
}

fn warnings(text: &mut String, judgement: &Judgement, notices: &[Notice]) {
    let of_series = judgement.series.iter().flat_map(words::warnings_of);
    let all: Vec<Notice> = notices.iter().cloned().chain(of_series).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("\n### Warnings\n\n");
    for (at, notice) in all.iter().enumerate() {
        if text.len() > MOST_CHARACTERS + 2_000 {
            let _ = writeln!(text, "- …and {} more", all.len() - at);
            return;
        }
        let hint = notice.hint.as_ref().map_or(String::new(), |hint| format!(" ({})", markdown(&clipped(hint))));
        let _ = writeln!(text, "- {}{hint}", markdown(&clipped(&notice.message)));
    }
}

/// Writes one workflow command for each series that does not hold; GitHub shows them on the pull request.
pub fn annotations(out: &mut dyn Write, judgement: &Judgement) -> io::Result<()> {
    for series in judgement.series.iter().filter(|series| !series.verdict.holds()) {
        let level = if series.verdict == Verdict::Regression { "error" } else { "warning" };
        let title = format!("git-ratchet: {}", words::verdict(series.verdict));
        let moved = series.change_percent.map_or(String::new(), |percent| format!(" {}", change(percent)));
        let message = format!("{}{moved}\n{}", words::series_name(series), words::reasons(series).join("\n"));
        writeln!(
            out,
            "::{level} title={}::{}",
            github_property(&title),
            github_value(&super::escape::terminal(&message).replace("\\n", "\n"))
        )?;
    }
    Ok(())
}
