//! The levels of a series for people to look at: the stretches between its change points.

use std::ops::Range;

use super::level::{HAMPEL_LIMIT, HAMPEL_REACH};
use super::noise::{Noise, NoisePrior, error_within, is_plain_change};
use super::scale::Scale;
use super::{MeasuredRun, Series};
use crate::model::Summary;
use crate::stats;
use crate::stats::noise::hampel;
use crate::stats::segment::Segmentation;

/// Of fewer runs nobody can tell a level from an outlier: a plain change between two neighbours is then a change point.
const FEW_RUNS: usize = 8;

/// A stretch of a series that shares a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Indices into [`Series::runs`].
    pub runs: Range<usize>,
    /// The median of its runs, in base units.
    pub value: f64,
}

/// Cuts a series at its change points, oldest stretch first: penalised segmentation of the runs without their single
/// outliers. For display; the baseline has a rule of its own.
pub fn stretches(series: &Series, prior: NoisePrior) -> Vec<Stretch> {
    let values: Vec<f64> = series.runs.iter().map(MeasuredRun::value).collect();
    let scale = Scale::for_values(series.metric.better, &values);
    let segments = if series.metric.exact { equal_stretches(&values) } else { segments(&scale, series, prior) };
    let stretch = |runs: Range<usize>| Some(Stretch { value: stats::median(&values[runs.clone()])?, runs });
    segments.into_iter().filter_map(stretch).collect()
}

fn segments(scale: &Scale, series: &Series, prior: NoisePrior) -> Vec<Range<usize>> {
    let places: Vec<f64> = series.runs.iter().map(|run| scale.place(run.value())).collect();
    let summaries: Vec<&Summary> = series.runs.iter().map(|run| &run.summary).collect();
    let sigma = Noise::estimate(&places, prior, error_within(scale, &summaries)).sigma;
    let is_together = |one: &f64, next: &f64| places.len() >= FEW_RUNS || !is_plain_change(*one, *next, sigma);
    let mut found = Vec::new();
    let mut start = 0;
    for piece in places.chunk_by(is_together) {
        let of_piece = Segmentation::with_noise(sigma).segments(&hampel(piece, HAMPEL_REACH, HAMPEL_LIMIT * sigma));
        found.extend(of_piece.into_iter().map(|runs| start + runs.start..start + runs.end));
        start += piece.len();
    }
    found
}

/// Any change of an exact metric is a change point.
fn equal_stretches(values: &[f64]) -> Vec<Range<usize>> {
    let mut end = 0;
    let stretch = |equal: &[f64]| {
        let start = end;
        end += equal.len();
        start..end
    };
    values.chunk_by(|a, b| a == b).map(stretch).collect()
}
