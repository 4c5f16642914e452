//! `tune` as markdown, for the summary of a job.

use std::fmt::Write as _;

use super::escape::{markdown, terminal_lines};
use super::number::{change, quantity};
use super::tune_text::{about, code, failures, pairs, title, verdict};
use super::tuning::{TunedPoint, Tuning};
use crate::model::Unit;

/// Points that are shown.
const MOST_ROWS: usize = 10;

/// The whole text.
pub fn tuning(tuning: &Tuning) -> String {
    let mut text = format!(
        "## git-ratchet tune: {}\n\n{}\n\n{}\n",
        markdown(&title(tuning)),
        markdown(&verdict(tuning)),
        markdown(&about(tuning))
    );
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "\n| point | time | change | registers | spills | shared | occupancy |\n|---|---:|---:|---:|---:|---:|---:|\n"
    );
    let known = tuning.default_point().and_then(|point| point.score);
    let best: Vec<&TunedPoint> = tuning.points.iter().filter(|point| point.score.is_some()).take(MOST_ROWS).collect();
    let below = tuning.default_point().filter(|_| !best.iter().any(|point| point.is_default));
    for point in best.iter().copied().chain(below) {
        let _ = writeln!(text, "{}", row(point, known));
    }
    if !tuning.finalists.is_empty() {
        let _ = write!(
            text,
            "\nHeld against the default, in turn:\n\n| point | config | change | 95 % | p | pairs | |\n|---|---|---:|---:|---:|---:|---|\n"
        );
        for row in tuning.finalists.iter().flat_map(|finalist| pairs(finalist, tuning)) {
            let cells: Vec<String> = row.iter().map(|cell| markdown(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    for line in failures(tuning) {
        let _ = write!(text, "\n- {}", markdown(&line));
    }
    if let Some(diff) = &tuning.diff {
        // A line of a diff begins with its sign, so none ends the block.
        let _ = write!(text, "\n\n```diff\n{}\n```", terminal_lines(diff));
    }
    text.push('\n');
    text
}

fn row(point: &TunedPoint, known: Option<f64>) -> String {
    let dash = || "–".to_owned();
    let name = if point.is_default {
        format!("**{}** (default)", markdown(&point.tunables.to_string()))
    } else {
        markdown(&point.tunables.to_string())
    };
    let moved = point.score.zip(known).filter(|_| !point.is_default).map(|(score, known)| 100.0 * (1.0 - score / known));
    let [registers, spills, shared, occupancy] = code(point);
    let time = point.score.map_or_else(dash, |score| quantity(score, &Unit::SECOND));
    format!("| {name} | {time} | {} | {registers} | {spills} | {shared} | {occupancy} |", moved.map_or_else(dash, change))
}
