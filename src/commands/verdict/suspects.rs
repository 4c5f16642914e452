//! What looks like a change is measured again.

use super::super::confirmation::{Confirmer, Suspect};
use super::super::context::Context;
use super::super::error::CommandError;
use super::case::Court;
use crate::judge::{Candidate, ExcuseEffect, Series, SeriesVerdict};
use crate::report::Notice;

/// Measures what is suspicious again and judges it by that. The runs that the session records are not among `sides`: they
/// count once here, as pairs, and as ordinary runs from the next check on.
pub(super) fn confirm(
    confirmer: &Confirmer<'_>,
    court: &Court<'_>,
    sides: &[(Series, Candidate)],
    series: &mut [SeriesVerdict],
    context: &mut Context,
) -> Result<Vec<Notice>, CommandError> {
    let mut notices = Vec::new();
    let mut places = Vec::new();
    for (place, verdict) in series.iter().enumerate().filter(|(_, verdict)| is_suspect(verdict)) {
        match confirmer.obstacle(&verdict.key, &verdict.metric) {
            // What looks better needs no excuse for not being measured again.
            Some(notice) => notices.extend(verdict.reasons.suspicious.then_some(notice)),
            None => places.push(place),
        }
    }
    let suspect = |place: &usize| {
        // Judged anew, since the plan depends on how many suspects there are.
        let SeriesVerdict { key, metric, reasons, baseline, .. } = court.judge(&sides[*place], &[], places.len());
        reasons.plan.zip(baseline).map(|(plan, baseline)| (*place, Suspect::new(key, metric, plan, baseline.commits)))
    };
    let (judged, mut suspects): (Vec<usize>, Vec<Suspect>) = places.iter().filter_map(suspect).unzip();
    if suspects.is_empty() {
        return Ok(notices);
    }
    notices.extend(confirmer.confirm(&mut suspects, !court.arguments.no_record, context)?);
    for (place, suspect) in judged.iter().zip(&suspects).filter(|(_, suspect)| !suspect.pairs.is_empty()) {
        series[*place] = court.judge(&sides[*place], &suspect.pairs, places.len());
    }
    Ok(notices)
}

/// A loss beyond the gate that no excuse forgives, or a gain that would be celebrated.
pub(super) fn is_suspect(verdict: &SeriesVerdict) -> bool {
    let forgiven = verdict.excuse.as_ref().is_some_and(|applied| matches!(applied.effect, ExcuseEffect::Forgave { .. }));
    verdict.reasons.plan.is_some() && !forgiven
}
