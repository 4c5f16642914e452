//! `compare --json` (docs/compare.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::check_json::notice_json;
use super::{Notice, series_json};
use crate::judge::{Estimate, SeriesComparison};

/// The one object that `compare --json` prints. `sides` are the two sides as the user named them, with the commits
/// where they are revisions.
pub fn compare(sides: [(&str, Option<String>); 2], series: &[SeriesComparison], notices: &[Notice]) -> Value {
    let [before, after] = sides.map(|(name, commit)| json!({ "name": name, "commit": commit }));
    json!({
        "version": 1,
        "before": before,
        "after": after,
        "series": series.iter().map(one).collect::<Vec<_>>(),
        "warnings": notices.iter().map(notice_json).collect::<Vec<_>>(),
    })
}

fn one(series: &SeriesComparison) -> Value {
    let compared = &series.comparison;
    let rest = json!({
        "basis": compared.basis.as_str(),
        "before": estimate(&compared.before, compared.counts.0, series.trusted.0),
        "after": estimate(&compared.after, compared.counts.1, series.trusted.1),
        "change_percent": compared.change_percent,
        "low_percent": compared.low_percent,
        "high_percent": compared.high_percent,
        "delta": compared.delta,
        "hedges_g": compared.hedges_g,
        "p": compared.p,
    });
    series_json::series(&series.key, &series.metric, rest)
}

fn estimate(estimate: &Estimate, n: usize, trusted: bool) -> Value {
    let Estimate { value, low, high, runs } = estimate;
    json!({ "value": value, "low": low, "high": high, "runs": runs, "n": n, "trusted": trusted })
}
