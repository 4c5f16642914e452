//! Where the records between two commits say that a series moved: measured already, so nothing has to be measured again.

use std::collections::BTreeMap;

use super::Point;
use crate::commands::error::CommandError;
use crate::commands::history;
use crate::judge;
use crate::model::{Metric, ObjectId};
use crate::report::explanation::Moved;
use crate::stats;
use crate::store::{AnnotatedHistory, History, Store, Walk};

/// Commits that are looked at.
const MOST_COMMITS: usize = 1000;

/// From the candidate along first parents down to the reference; the two alone where that is none of them, or too far off.
pub(super) fn line(store: &Store, reference: ObjectId, candidate: ObjectId) -> Result<History, CommandError> {
    let mut history = store.history(&[candidate], Walk::FirstParent)?;
    match history.commits.iter().take(MOST_COMMITS).position(|commit| commit.id == reference) {
        Some(old) => history.commits.truncate(old + 1),
        None => history.commits = vec![store.history_commit(candidate)?, store.history_commit(reference)?],
    }
    Ok(history)
}

/// The neighbouring measured commits between which most of the move along the line lies. `None` where the records do not tell.
pub(super) fn along(
    line: &History,
    annotated: &AnnotatedHistory,
    (point, metric): (&Point, &Metric),
    store: &Store,
) -> Result<Option<Moved>, CommandError> {
    let mut records = history::records(&annotated.commits, &point.selection);
    history::set_untrusted_aside(&mut records);
    let oldest = line.commits.len() - 1;
    let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for found in records {
        let is_same = found.record.metric.name == metric.name && found.record.metric.unit == metric.unit;
        if is_same && !found.run.dirty && found.record.barred.is_none() && found.record.config == point.key.config {
            values.entry(oldest - found.position).or_default().push(found.record.summary.median);
        }
    }
    let measured: Vec<(usize, f64)> =
        values.iter().filter_map(|(place, values)| Some((*place, stats::median(values)?))).collect();
    let Some([before, after]) = judge::clear_move(metric.better, &measured) else { return Ok(None) };
    let commit = |(place, _): (usize, f64)| super::entry(store, line.commits[oldest - place].id);
    Ok(Some(Moved {
        before: commit(before)?,
        after: commit(after)?,
        commits: after.0 - before.0,
        value_before: before.1,
        value_after: after.1,
    }))
}
