//! What a history says before any candidate is looked at: its noise, its best level, and what of that a baseline shows.

use std::borrow::Cow;
use std::ops::Range;

use super::by_history::{alpha, spread_of};
use super::excursion::{self, Towards};
use super::level::{FEWEST_RUNS, HAMPEL_LIMIT, Level};
use super::lowest::ROUNDING;
use super::noise::{Noise, error_within};
use super::past::{Binding, Past};
use super::scale::Scale;
use super::series::by_commit;
use super::verdict::Baseline;
use super::{BaselineRule, MeasuredRun, SeriesInput};
use crate::model::Summary;
use crate::stats::{self, distribution};

/// What the history says before the candidate is looked at.
pub(super) struct Ground<'a> {
    pub(super) runs: Binding<'a>,
    /// What the history comes to before the commits at hand.
    pub(super) past: Past,
    /// The commits at hand on the scale of comparison: the median of each one's runs.
    pub(super) places: Vec<f64>,
    pub(super) scale: Scale,
    pub(super) noise: Noise,
    pub(super) level: Level,
    /// The newest runs of the level.
    pub(super) witnesses: Cow<'a, [MeasuredRun]>,
    pub(super) provisional: bool,
    /// The p at which history alone convicts.
    pub(super) alpha: f64,
}

impl<'a> Ground<'a> {
    pub(super) fn survey(input: &SeriesInput<'_>, binding: Binding<'a>) -> Option<Self> {
        let runs = binding.runs;
        let candidates = &input.candidate.runs;
        let measured: Vec<f64> = runs.iter().chain(candidates).map(MeasuredRun::value).collect();
        let paired = input.pairs.iter().flat_map(|pair| [pair.reference, pair.candidate]);
        let every: Vec<f64> = measured.iter().copied().chain(paired).collect();
        let scale = Scale::for_values(input.series.metric.better, &every);
        let places = scale.places_by_commit(runs);
        let past = binding.past(&places);
        let summaries: Vec<&Summary> = runs.iter().chain(candidates).map(|run| &run.summary).collect();
        let noise = Noise::estimate(&places, input.prior, error_within(&scale, &summaries));
        let is_revision = input.rule == BaselineRule::Revision;
        let level = if is_revision { Level::of_all(&past, &places, 0, &noise)? } else { Level::best(&past, &places, &noise)? };
        let (witnesses, provisional) = (Cow::Borrowed(&[][..]), false);
        let mut ground = Self { runs: binding, past, places, scale, noise, level, witnesses, provisional, alpha: alpha(input) };
        if let Some(newest) = ground.newest_better(input.thresholds.improvement_percent).filter(|_| !is_revision) {
            (ground.level, ground.provisional) = (newest, true);
        }
        ground.witnesses = binding.newest_of(ground.level.runs.clone());
        if !is_revision {
            ground.level.sigma *= ground.repetition();
        }
        Some(ground)
    }

    /// By how much the level is better known because its commits were measured repeatedly.
    fn repetition(&self) -> f64 {
        let spreads: Vec<f64> = by_commit(&self.witnesses).iter().map(|runs| spread_of(runs.len())).collect();
        stats::mean(&spreads).unwrap_or(1.0).sqrt()
    }

    /// The newest runs of the level, without those of commits that its filter took for outliers.
    pub(super) fn held(&self) -> impl Iterator<Item = &MeasuredRun> {
        let limit = HAMPEL_LIMIT * self.noise.sigma;
        let is_near = |commit: &Range<usize>| {
            let place = self.scale.place_of_commit(self.witnesses[commit.clone()].iter().map(MeasuredRun::value));
            place.is_some_and(|place| (place - self.level.place).abs() <= limit)
        };
        let commits = by_commit(&self.witnesses);
        let near: Vec<Range<usize>> = commits.iter().filter(|commit| is_near(commit)).cloned().collect();
        // A level of which nothing is near its mean is no level, but its commits are all there is.
        let kept = if near.is_empty() { commits } else { near };
        kept.into_iter().flat_map(|commit| &self.witnesses[commit])
    }

    /// How many runs hold the level. Outliers are told among its newest only.
    pub(super) fn held_runs(&self) -> usize {
        self.held().count() + self.level.runs.len().saturating_sub(self.witnesses.len())
    }

    /// The newest one or two runs, if each of them is better than the best level before them by more than the
    /// improvement threshold and the noise: a new level at once, so that no gain is lost unseen. The interval of a
    /// candidate against so few runs is wide of itself, and if the next run is as before, it was a fluke and is forgotten.
    fn newest_better(&self, improvement_percent: f64) -> Option<Level> {
        let n = self.places.len();
        // Where the best level has taken in the gain already, there is nothing to add to it.
        let bar = self.level.place - self.scale.gain(self.level.place, improvement_percent);
        let better = self.places.iter().rev().take(FEWEST_RUNS - 1).take_while(|place| **place < bar).count();
        (n - better..n).find_map(|start| {
            let bar = self.bar(&self.places[..start], improvement_percent)?;
            let newest = Level::of_all(&self.past, &self.places, start, &self.noise)?;
            self.places[start..].iter().all(|place| *place < bar).then_some(newest)
        })
    }

    /// What a single run has to be below to be better than the best level of these.
    fn bar(&self, older: &[f64], improvement_percent: f64) -> Option<f64> {
        let level = Level::best(&self.past, older, &self.noise)?;
        let t = distribution::student_quantile(1.0 - self.alpha, self.noise.degrees)?;
        let by_noise = t * (self.noise.sigma.powi(2) + level.sigma.powi(2)).sqrt();
        let by_excursion = excursion::limit(older, 1, Towards::Better);
        Some(level.place - by_noise.max(by_excursion).max(self.scale.gain(level.place, improvement_percent)))
    }

    pub(super) fn baseline(&self) -> Baseline {
        let half_width = distribution::student_quantile(0.975, self.noise.degrees).map(|t| t * self.level.sigma);
        let ends = half_width.and_then(|half| self.interval(self.level.place, half));
        let mut commits: Vec<_> = self.held().map(|run| run.commit).collect();
        commits.dedup();
        commits.drain(..commits.len().saturating_sub(Baseline::MOST_COMMITS));
        Baseline {
            value: self.value(),
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
            commits,
            runs: self.held_runs(),
        }
    }

    /// The values around a place, lower end first; `None` where they leave the range of a double.
    pub(super) fn interval(&self, place: f64, half_width: f64) -> Option<(f64, f64)> {
        let (one, other) = (self.scale.value(place - half_width), self.scale.value(place + half_width));
        (one.is_finite() && other.is_finite()).then(|| (one.min(other), one.max(other)))
    }

    /// The level as a value. What differs from a measured value by no more than rounding is that value, so that equal runs
    /// give exactly what they measured.
    fn value(&self) -> f64 {
        let distance = |value: &f64| (self.scale.place(*value) - self.level.place).abs();
        let measured = self.held().map(MeasuredRun::value);
        let nearest = measured.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        nearest.filter(|value| distance(value) < ROUNDING).unwrap_or_else(|| self.scale.value(self.level.place))
    }
}
