//! The ratchet line: which baseline bound after each run of a series, for people to look at.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

use super::{BaselineRule, ExcusePlace, NoisePrior, PlacedExcuse, Series, binding_baseline};

/// How often the baseline is computed for one line at most. It moves rarely, so a long history needs no more.
const MOST_LOOKS: usize = 48;

/// Two baselines nearer than this share of each other are drawn as one.
const SAME: f64 = 0.001;

/// From one run of a series on, this baseline binds what comes later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatchetStep {
    /// Index into [`Series::runs`].
    pub run: usize,
    /// The baseline, in base units.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub high: Option<f64>,
}

impl RatchetStep {
    fn is_like(&self, other: &Self) -> bool {
        (self.value - other.value).abs() <= SAME * self.value.abs()
    }

    fn distance(&self, other: &Self) -> f64 {
        ((self.value - other.value) / self.value).abs()
    }
}

/// The baselines along a series, oldest first. The places where it moves are found by halving, the largest move first.
///
/// The positions of the excuses are those of the series' runs; all of them stand in the history.
pub fn ratchet_line(
    series: &Series,
    excuses: &[PlacedExcuse],
    rule: BaselineRule,
    prior: NoisePrior,
    now: DateTime<Utc>,
) -> Vec<RatchetStep> {
    let look = |run: usize| after(series, run, excuses, rule, prior, now);
    let mut seen: Vec<RatchetStep> = ends(series, excuses).into_iter().filter_map(look).collect();
    let mut gaps: BinaryHeap<Gap> = seen.windows(2).filter_map(|pair| Gap::between(pair[0], pair[1])).collect();
    for _ in seen.len()..MOST_LOOKS {
        let Some(gap) = gaps.pop() else { break };
        let Some(middle) = look(gap.before.run.midpoint(gap.after.run)) else { continue };
        gaps.extend(Gap::between(gap.before, middle));
        gaps.extend(Gap::between(middle, gap.after));
        seen.push(middle);
    }
    seen.sort_by_key(|step| step.run);
    seen.dedup_by(|later, earlier| later.is_like(earlier));
    seen
}

/// The first run, the last one, and both sides of every excuse, where the line may jump back.
fn ends(series: &Series, excuses: &[PlacedExcuse]) -> Vec<usize> {
    let Some(last) = series.runs.len().checked_sub(1) else { return Vec::new() };
    let mut ends = vec![0, last];
    for placed in excuses.iter().filter(|placed| placed.excuse.scope.covers(&series.key)) {
        if let ExcusePlace::History(position) = placed.place {
            let first = series.runs.partition_point(|run| run.position > position);
            ends.extend([first.saturating_sub(1), first.min(last)]);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    ends.truncate(MOST_LOOKS);
    ends
}

/// What binds once this run is known.
fn after(
    series: &Series,
    run: usize,
    excuses: &[PlacedExcuse],
    rule: BaselineRule,
    prior: NoisePrior,
    now: DateTime<Utc>,
) -> Option<RatchetStep> {
    let newest = series.runs.get(run)?.position;
    let known = Series { runs: series.runs[..=run].to_vec(), key: series.key.clone(), metric: series.metric.clone(), ..*series };
    let is_known = |placed: &&PlacedExcuse| matches!(placed.place, ExcusePlace::History(position) if position >= newest);
    let given: Vec<PlacedExcuse> = excuses.iter().filter(is_known).cloned().collect();
    let baseline = binding_baseline(&known, &given, rule, prior, now)?;
    Some(RatchetStep { run, value: baseline.value, low: baseline.low, high: baseline.high })
}

/// A stretch of runs somewhere within which the baseline moves.
struct Gap {
    before: RatchetStep,
    after: RatchetStep,
}

impl Gap {
    fn between(before: RatchetStep, after: RatchetStep) -> Option<Self> {
        let moves = after.run - before.run > 1 && !before.is_like(&after);
        moves.then_some(Self { before, after })
    }
}

impl Ord for Gap {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |gap: &Self| gap.before.distance(&gap.after);
        size(self).total_cmp(&size(other)).then(self.before.run.cmp(&other.before.run))
    }
}

impl PartialOrd for Gap {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Gap {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Gap {}
