//! Excuses: how a recorded permission to regress resets a series.
//!
//! From the excused commit on, older and better levels no longer bind. An excuse whose time is over, or whose limit the
//! candidate exceeds, does nothing: then the older levels bind again, and a warning says why.

use chrono::{DateTime, Utc};

use super::verdict::JudgeWarning;
use super::{MeasuredRun, SeriesInput};
use crate::model::{Direction, Excuse};
use crate::stats;

/// Where along the history an excuse stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExcusePlace {
    /// On the candidate, or on a commit between the base and the candidate: it forgives the candidate.
    Candidate,
    /// On the commit at this position of the history (0 is the newest): older runs no longer bind.
    History(usize),
}

/// An excuse and its place, found by the commit it is attached to or by that commit's tree.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedExcuse {
    /// The excuse.
    pub excuse: Excuse,
    /// Where it stands.
    pub place: ExcusePlace,
}

/// The excuses that hold for one series and its candidate.
#[derive(Debug, Default)]
pub(super) struct Holding<'a> {
    /// The newest excuse of the history, with its position.
    reset: Option<(&'a Excuse, usize)>,
    /// An excuse of the candidate's own.
    pub(super) forgiving: Option<&'a Excuse>,
    /// Why others do not hold.
    pub(super) warnings: Vec<JudgeWarning>,
}

impl<'a> Holding<'a> {
    /// Looks at scope, time and limit of every excuse.
    pub(super) fn of(input: &SeriesInput<'a>) -> Self {
        let mut holding = Self::default();
        for placed in input.excuses.iter().filter(|placed| placed.excuse.scope.covers(&input.series.key)) {
            match (why_not(&placed.excuse, input), placed.place) {
                (Some(warning), _) => holding.warnings.push(warning),
                (None, ExcusePlace::Candidate) => holding.forgiving = Some(&placed.excuse),
                (None, ExcusePlace::History(position)) => {
                    if holding.reset.is_none_or(|(_, newest)| position < newest) {
                        holding.reset = Some((&placed.excuse, position));
                    }
                }
            }
        }
        holding
    }

    /// The runs that still bind, oldest first, and the excuse that set older ones aside.
    pub(super) fn cut(&self, runs: &'a [MeasuredRun]) -> (&'a [MeasuredRun], Option<&'a Excuse>) {
        let Some((excuse, position)) = self.reset else { return (runs, None) };
        let first = runs.partition_point(|run| run.position > position);
        (&runs[first..], (first > 0).then_some(excuse))
    }
}

/// Why an excuse that covers the series does not hold.
fn why_not(excuse: &Excuse, input: &SeriesInput<'_>) -> Option<JudgeWarning> {
    if let Some(expired) = excuse.expires.filter(|expires| has_passed(*expires, input.now)) {
        return Some(JudgeWarning::ExcuseExpired { excuse: Box::new(excuse.clone()), expired });
    }
    let values: Vec<f64> = input.candidate.runs.iter().map(MeasuredRun::value).collect();
    let (until, value) = excuse.until.zip(stats::median(&values))?;
    let exceeded = match input.series.metric.better {
        Direction::Lower => value > until,
        Direction::Higher => value < until,
    };
    exceeded.then(|| JudgeWarning::ExcuseExceeded { excuse: Box::new(excuse.clone()), until })
}

fn has_passed(time: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now >= time
}
