//! `check --format junit`: a test report in the XML that GitLab, Gitea and Jenkins read. One suite for each benchmark, one
//! case for each series; a regression is a failure, what has no verdict is an error.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::number::change;
use super::words;
use crate::judge::{Judgement, SeriesVerdict, Verdict};

/// Writes the report.
pub fn check(out: &mut dyn Write, judgement: &Judgement) -> io::Result<()> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&SeriesVerdict> = judgement.series.iter().collect();
    let _ = writeln!(text, "<testsuites name=\"git-ratchet\" {}>", totals(&all));
    for suite in all.chunk_by(|one, other| one.key.benchmark == other.key.benchmark) {
        let Some(first) = suite.first() else { continue };
        let _ = writeln!(text, "  <testsuite name=\"{}\" {}>", escaped(first.key.benchmark.as_str()), totals(suite));
        suite.iter().for_each(|series| case(&mut text, series));
        text.push_str("  </testsuite>\n");
    }
    if all.is_empty() {
        // No case at all would be shown as success; nothing measured is never a pass.
        text.push_str("  <testsuite name=\"git-ratchet\" tests=\"1\" failures=\"0\" errors=\"1\">\n");
        text.push_str("    <testcase classname=\"git-ratchet\" name=\"measured\">\n");
        text.push_str(
            "      <error type=\"not_measured\" message=\"this commit was not measured\"/>\n    </testcase>\n  </testsuite>\n",
        );
    }
    text.push_str("</testsuites>\n");
    out.write_all(text.as_bytes())
}

fn totals(series: &[&SeriesVerdict]) -> String {
    let failures = series.iter().filter(|series| series.verdict == Verdict::Regression).count();
    let errors = series.iter().filter(|series| !series.verdict.holds()).count() - failures;
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", series.len())
}

fn case(text: &mut String, series: &SeriesVerdict) {
    let config = if series.key.config.is_empty() { String::new() } else { format!("{} ", series.key.config) };
    let name = escaped(&format!("{config}{} on {}", series.metric.name, series.key.testbed));
    let class = escaped(series.key.benchmark.as_str());
    let moved = series.change_percent.map_or(String::new(), |percent| format!(" {}", change(percent)));
    let message = format!("{}{moved}", words::verdict(series.verdict));
    let reasons = escaped(&words::reasons(series).join("\n"));
    let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{name}\">");
    let element = match series.verdict {
        Verdict::Regression => "failure",
        verdict if !verdict.holds() => "error",
        _ => {
            let _ = writeln!(text, "<system-out>{}\n{reasons}</system-out></testcase>", escaped(&message));
            return;
        }
    };
    let kind = series.verdict.as_str();
    let _ = writeln!(
        text,
        "\n      <{element} type=\"{kind}\" message=\"{}\">{reasons}</{element}>\n    </testcase>",
        escaped(&message)
    );
}

/// A stranger's text as XML, in an attribute or in an element; what XML cannot hold becomes a visible escape.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for line in text.split('\n') {
        if !safe.is_empty() {
            safe.push('\n');
        }
        for character in super::escape::terminal(line).chars() {
            match character {
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '&' => safe.push_str("&amp;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
                _ => safe.push(character),
            }
        }
    }
    safe
}
