//! `explain` for people: what was found, then the evidence.

use std::io::{self, Write};

use super::check_text::TextOptions;
use super::escape::{terminal, terminal_short};
use super::explanation::{ChangedFile, Content, Explanation, LineKind, findings, headline};
use super::number::{Scale, change};
use super::overview::CommitEntry;
use super::table::{Table, Tone, paint};
use super::words::{SHORT_ID, bisect_command};

/// Writes the explanation.
pub fn explain(out: &mut dyn Write, explanation: &Explanation, options: TextOptions) -> io::Result<()> {
    let strong = |text: &str| paint(&terminal(text), Tone::Strong, options.color);
    writeln!(out, "{}", strong(&headline(explanation)))?;
    writeln!(out, "  now       {}", commit(&explanation.candidate))?;
    writeln!(out, "  baseline  {}", commit(&explanation.reference))?;
    writeln!(out, "\n{}", strong("What differs, the strongest evidence first"))?;
    for (at, finding) in findings(explanation).iter().enumerate() {
        writeln!(out, "  {}. {}", at + 1, terminal_short(finding, 1000))?;
    }
    if !explanation.commits.is_empty() {
        writeln!(out, "\n{}", strong("Commits that changed these files"))?;
        explanation.commits.iter().try_for_each(|entry| writeln!(out, "  {}", commit(entry)))?;
        more(out, explanation.more_commits)?;
    }
    metrics(out, explanation, options)?;
    quantiles(out, explanation, options)?;
    for file in &explanation.files {
        diff(out, file, options)?;
    }
    more(out, explanation.more_files)?;
    which_commit(out, explanation)
}

/// Where several commits could have done it, how to find the one.
fn which_commit(out: &mut dyn Write, explanation: &Explanation) -> io::Result<()> {
    match explanation.commits_between {
        count if count > 1 && !explanation.verdict.reasons.only_recorded => {
            let command = bisect_command(&explanation.verdict.key, explanation.candidate.id);
            writeln!(out, "\nWhich of the {count} commits it was, by measuring some of them:\n  {command}")
        }
        _ => Ok(()),
    }
}

/// `3d57fc4d9 2026-11-21 Ann Author: Use shared memory`.
pub(super) fn commit(entry: &CommitEntry) -> String {
    let (author, subject) = (terminal_short(&entry.author, 40), terminal_short(&entry.subject, 100));
    format!("{} {} {author}: {subject}", entry.id.short(SHORT_ID), entry.time.format("%Y-%m-%d"))
}

fn more(out: &mut dyn Write, count: usize) -> io::Result<()> {
    if count > 0 { writeln!(out, "  …and {count} more") } else { Ok(()) }
}

fn metrics(out: &mut dyn Write, explanation: &Explanation, options: TextOptions) -> io::Result<()> {
    if explanation.metrics.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint("Other metrics of the same point", Tone::Strong, options.color))?;
    let mut table = Table::new(&["  metric", "baseline", "now", "change", ""], options.color).right_align(&[1, 2, 3]);
    for changed in &explanation.metrics {
        let scale = Scale::for_value(changed.before, &changed.metric.unit);
        table.row(vec![
            format!("  {}", terminal_short(changed.metric.name.as_str(), 60)),
            scale.show(changed.before),
            scale.show(changed.after),
            changed.change_percent.map_or_else(|| "–".to_owned(), change),
            if changed.metric.exact { "exact".to_owned() } else { String::new() },
        ]);
    }
    out.write_all(table.render(options.width).as_bytes())
}

/// What a share of the distribution is called.
pub(super) fn share_name(share: f64) -> String {
    match share {
        0.0 => "best".to_owned(),
        0.5 => "median".to_owned(),
        1.0 => "worst".to_owned(),
        share if share < 0.5 => format!("best {:.0} %", share * 100.0),
        share => format!("worst {:.0} %", (1.0 - share) * 100.0),
    }
}

fn quantiles(out: &mut dyn Write, explanation: &Explanation, options: TextOptions) -> io::Result<()> {
    let Some(quantiles) = &explanation.quantiles else { return Ok(()) };
    writeln!(out, "\n{}", paint("Where in the distribution", Tone::Strong, options.color))?;
    let mut table = Table::new(&["  measurements", "baseline", "now", "change"], options.color).right_align(&[1, 2, 3]);
    for row in &quantiles.rows {
        let scale = Scale::for_value(row.before, &explanation.verdict.metric.unit);
        table.row(vec![
            format!("  {}", share_name(row.share)),
            scale.show(row.before),
            scale.show(row.after),
            row.change_percent.map_or_else(|| "–".to_owned(), change),
        ]);
    }
    out.write_all(table.render(options.width).as_bytes())
}

fn diff(out: &mut dyn Write, file: &ChangedFile, options: TextOptions) -> io::Result<()> {
    let note = match &file.content {
        Content::Diff(_) => "",
        Content::Binary => ", no text",
        Content::TooLarge => ", too large to be shown",
        Content::LeftOut => ", not shown",
    };
    let title = format!("{} ({}{note})", file.path, file.kind.as_str());
    writeln!(out, "\n{}", paint(&terminal(&title), Tone::Strong, options.color))?;
    let Content::Diff(lines) = &file.content else { return Ok(()) };
    for line in lines {
        let tone = match line.kind {
            LineKind::Place => Tone::Place,
            LineKind::Same => Tone::Plain,
            LineKind::Removed => Tone::Removed,
            LineKind::Added => Tone::Good,
        };
        writeln!(out, "{}", paint(&untabbed(&line.text), tone, options.color))?;
    }
    Ok(())
}

/// A line of code with its tabs kept, everything else that a terminal would obey made visible.
pub(super) fn untabbed(text: &str) -> String {
    text.split('\t').map(terminal).collect::<Vec<_>>().join("\t")
}
