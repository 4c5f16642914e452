//! Which records hold a level: their samples are what `compare` and `explain` show of it, and are not thinned.

use std::collections::{HashMap, HashSet};

use super::context::Context;
use super::error::CommandError;
use super::history;
use super::selection::Selection;
use super::workspace::Workspace;
use crate::judge::{self, BaselineRule, MeasuredRun, NoisePrior, Series};
use crate::model::{LineId, ObjectId, SeriesKey};
use crate::store::{BaseRequest, Store, StoreError};

/// The records that hold the baseline of a series along the history of HEAD or of the base, and of each older level the run
/// that lies nearest to it.
pub fn records(workspace: &Workspace, context: &Context) -> Result<HashSet<LineId>, CommandError> {
    let store = &workspace.store;
    let mut held = HashSet::new();
    for tip in tips(workspace)? {
        let walked = store.history(&[tip], history::walk(None, workspace.settings.history))?;
        let annotated = store.annotated_history(&walked, &store.notes()?)?;
        let selection = Selection::default();
        let records = history::records(&annotated.commits, &selection);
        let mut ids: HashMap<(SeriesKey, LineId), Vec<LineId>> = HashMap::new();
        for found in &records {
            ids.entry((SeriesKey::of(found.record, found.run), found.run.id)).or_default().push(found.record.id);
        }
        let seen: Vec<Series> = judge::assemble(records, []).into_iter().map(|(series, _)| series).collect();
        let prior = NoisePrior::pooled(&seen);
        for series in &seen {
            let runs = holding(series, prior, context);
            held.extend(runs.into_iter().filter_map(|run| ids.get(&(series.key.clone(), run.run))).flatten());
        }
    }
    Ok(held)
}

/// HEAD and the base, where they are.
fn tips(workspace: &Workspace) -> Result<Vec<ObjectId>, CommandError> {
    let head = match workspace.store.head() {
        Ok(head) => Some(head),
        Err(StoreError::UnbornBranch { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut tips: Vec<ObjectId> = head.into_iter().chain(base(&workspace.store, workspace.settings.base.clone())?).collect();
    tips.dedup();
    Ok(tips)
}

fn base(store: &Store, configured: Option<String>) -> Result<Option<ObjectId>, CommandError> {
    match store.base(&BaseRequest { against: None, configured }) {
        Ok(base) => Ok(Some(base.commit)),
        Err(StoreError::NoBase) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The runs of a series that hold a level. Excuses do not matter: a level that was excused away still is one.
fn holding<'a>(series: &'a Series, prior: NoisePrior, context: &Context) -> Vec<&'a MeasuredRun> {
    let of_rule = |rule| {
        let baseline = judge::binding_baseline(series, &[], rule, prior, (context.clock)());
        baseline.map_or_else(Vec::new, |baseline| baseline.commits)
    };
    let commits: HashSet<ObjectId> = [BaselineRule::Level, BaselineRule::BestRun].into_iter().flat_map(of_rule).collect();
    let mut holding: Vec<&MeasuredRun> = series.runs.iter().filter(|run| commits.contains(&run.commit)).collect();
    for level in judge::stretches(series, prior) {
        let distance = |run: &MeasuredRun| (run.value() - level.value).abs();
        let nearest = series.runs[level.runs.clone()].iter().rev().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        holding.extend(nearest);
    }
    holding
}
