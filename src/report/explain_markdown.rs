//! `explain` for a comment: what was found, then the evidence, long parts folded.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{markdown, terminal_short};
use super::explain_text::{commit, share_name, untabbed};
use super::explanation::{ChangedFile, Content, Explanation, findings, headline};
use super::number::{Scale, change};

/// A comment on GitHub holds 65,536 characters.
const MOST: usize = 60_000;

/// Writes the explanation.
pub fn explain(out: &mut dyn Write, explanation: &Explanation) -> io::Result<()> {
    let mut text = format!("## {}\n\n", markdown(&terminal_short(&headline(explanation), 300)));
    let _ = writeln!(text, "- now: {}", markdown(&commit(&explanation.candidate)));
    let _ = writeln!(text, "- baseline: {}", markdown(&commit(&explanation.reference)));
    text.push_str("\n### What differs, the strongest evidence first\n\n");
    for (at, finding) in findings(explanation).iter().enumerate() {
        let _ = writeln!(text, "{}. {}", at + 1, markdown(&terminal_short(finding, 1000)));
    }
    commits(&mut text, explanation);
    metrics(&mut text, explanation);
    quantiles(&mut text, explanation);
    for (at, file) in explanation.files.iter().enumerate() {
        let part = diff(file);
        if text.len() + part.len() > MOST {
            let _ = writeln!(text, "\n…and {} more files.", explanation.files.len() - at + explanation.more_files);
            return out.write_all(text.as_bytes());
        }
        text.push_str(&part);
    }
    if explanation.more_files > 0 {
        let _ = writeln!(text, "\n…and {} more files.", explanation.more_files);
    }
    out.write_all(text.as_bytes())
}

fn commits(text: &mut String, explanation: &Explanation) {
    if explanation.commits.is_empty() {
        return;
    }
    text.push_str("\n### Commits that changed these files\n\n");
    for entry in &explanation.commits {
        let _ = writeln!(text, "- {}", markdown(&commit(entry)));
    }
    if explanation.more_commits > 0 {
        let _ = writeln!(text, "- …and {} more", explanation.more_commits);
    }
}

fn metrics(text: &mut String, explanation: &Explanation) {
    if explanation.metrics.is_empty() {
        return;
    }
    text.push_str("\n### Other metrics of the same point\n\n| Metric | Baseline | Now | Change |\n|---|---:|---:|---:|\n");
    for changed in &explanation.metrics {
        let scale = Scale::for_value(changed.before, &changed.metric.unit);
        let moved = changed.change_percent.map_or_else(|| "–".to_owned(), change);
        let name = markdown(&terminal_short(changed.metric.name.as_str(), 60));
        let _ = writeln!(text, "| {name} | {} | {} | **{moved}** |", scale.show(changed.before), scale.show(changed.after));
    }
}

fn quantiles(text: &mut String, explanation: &Explanation) {
    let Some(quantiles) = &explanation.quantiles else { return };
    text.push_str("\n### Where in the distribution\n\n| Measurements | Baseline | Now | Change |\n|---|---:|---:|---:|\n");
    for row in &quantiles.rows {
        let scale = Scale::for_value(row.before, &explanation.verdict.metric.unit);
        let moved = row.change_percent.map_or_else(|| "–".to_owned(), change);
        let _ =
            writeln!(text, "| {} | {} | {} | {moved} |", share_name(row.share), scale.show(row.before), scale.show(row.after));
    }
}

fn diff(file: &ChangedFile) -> String {
    let title = format!("{} ({})", markdown(&terminal_short(&file.path, 300)), file.kind.as_str());
    let Content::Diff(lines) = &file.content else {
        return format!("\n{title}: not shown\n");
    };
    let body: Vec<String> = lines.iter().map(|line| untabbed(&line.text)).collect();
    let body = body.join("\n").replace("${{", "$\u{2060}{\u{2060}{");
    // The fence is longer than any run of backticks in the code.
    let longest = body.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n<details><summary>{title}</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>\n")
}
