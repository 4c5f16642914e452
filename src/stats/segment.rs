//! Change points: the stretches of a series that share a level, for people to look at.

use std::ops::{Range, RangeInclusive};

use super::noise::prefix_sums;

/// Longer series are first cut in blocks of neighbouring values, at most this many.
const MOST_EXACT: usize = 2000;

/// How readily a series is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segmentation {
    /// Standard deviation of the noise around a level.
    pub sigma: f64,
    /// The cost of a change point in units of σ² ln n. Each change point is two parameters, its place and its level;
    /// 2 is the criterion of Schwarz, 3 keeps noise with heavier tails in one piece.
    pub penalty: f64,
    /// No stretch is shorter than this.
    pub shortest: usize,
}

impl Segmentation {
    /// A segmentation for noise of this standard deviation.
    pub fn with_noise(sigma: f64) -> Self {
        Self { sigma, penalty: 3.0, shortest: 2 }
    }

    /// Cuts the series into stretches that minimise squared deviations from their means plus the penalties, oldest
    /// first, by optimal partitioning with pruning: PELT (Killick, Fearnhead and Eckley, *Optimal detection of
    /// changepoints with a linear computational cost*, 2012). A series shorter than two stretches is not cut.
    ///
    /// Linear where levels change often, quadratic where they never do. Therefore a series of more than 2,000 values is
    /// cut between blocks of neighbouring values, as the same problem with less noise, and each cut is then moved to
    /// where it fits best: only a level that lasts for less than two blocks can be lost.
    pub fn segments(&self, values: &[f64]) -> Vec<Range<usize>> {
        let block = values.len().div_ceil(MOST_EXACT);
        if block <= 1 {
            return self.optimal(values);
        }
        let means: Vec<f64> = values.chunks(block).filter_map(super::mean).collect();
        let coarse = Self { sigma: self.sigma / (block as f64).sqrt(), ..*self }.optimal(&means);
        let cuts: Vec<usize> = coarse.iter().skip(1).map(|segment| segment.start * block).collect();
        self.settle(&cuts, block, values)
    }

    /// Moves each cut, oldest first, by up to `reach` to where its two neighbours deviate least from their means, and
    /// drops it where it no longer pays: a block that straddles two levels looks like one of its own.
    fn settle(&self, cuts: &[usize], reach: usize, values: &[f64]) -> Vec<Range<usize>> {
        let cost = SquaredDeviations::new(values);
        let penalty = self.penalty * self.sigma.powi(2) * (values.len() as f64).ln();
        let mut segments = Vec::with_capacity(cuts.len() + 1);
        let mut start = 0;
        for (i, &cut) in cuts.iter().enumerate() {
            let end = cuts.get(i + 1).copied().unwrap_or(values.len());
            let deviation = |place: &usize| cost.of(start..*place) + cost.of(*place..end);
            let settled = around(cut, reach, start..end).min_by(|a, b| deviation(a).total_cmp(&deviation(b))).unwrap_or(cut);
            if deviation(&settled) + penalty < cost.of(start..end) {
                segments.push(start..settled);
                start = settled;
            }
        }
        segments.push(start..values.len());
        segments
    }

    fn optimal(&self, values: &[f64]) -> Vec<Range<usize>> {
        if values.is_empty() {
            return Vec::new();
        }
        let n = values.len();
        let cost = SquaredDeviations::new(values);
        let penalty = self.penalty * self.sigma.powi(2) * (n as f64).ln();
        let shortest = self.shortest.max(1);
        // best[e]: least cost of the first e values; starts[e]: where the last stretch of that solution begins.
        let mut best = vec![f64::INFINITY; n + 1];
        let mut starts = vec![0; n + 1];
        best[0] = 0.0;
        let mut candidates: Vec<Start> = Vec::new();
        for end in shortest..=n {
            candidates.push(Start { place: end - shortest, uncut: 0.0, expires: usize::MAX });
            candidates.retain(|start| start.expires > end);
            for start in &mut candidates {
                start.uncut = best[start.place] + cost.of(start.place..end);
                if start.uncut + penalty < best[end] {
                    (best[end], starts[end]) = (start.uncut + penalty, start.place);
                }
            }
            candidates.iter_mut().for_each(|start| start.compare(best[end], end, shortest));
        }
        trace_back(&starts, if best[n].is_finite() { n } else { 0 }, n)
    }
}

/// A place where the last stretch may begin, until a better one is known.
struct Start {
    place: usize,
    /// The least cost of everything before it and of one stretch from it on.
    uncut: f64,
    expires: usize,
}

impl Start {
    /// What is already dearer at `end` than a cut there stays so once a stretch from there on is long enough.
    fn compare(&mut self, with_cut: f64, end: usize, shortest: usize) {
        if self.uncut >= with_cut {
            self.expires = self.expires.min(end + shortest);
        }
    }
}

/// The places within `reach` of a cut, with a value at least on either side of them.
fn around(cut: usize, reach: usize, between: Range<usize>) -> RangeInclusive<usize> {
    (cut - reach).max(between.start + 1)..=(cut + reach).min(between.end - 1)
}

fn trace_back(starts: &[usize], solved: usize, n: usize) -> Vec<Range<usize>> {
    if solved == 0 {
        return std::iter::once(0..n).collect();
    }
    let mut segments = Vec::new();
    let mut end = solved;
    while end > 0 {
        segments.push(starts[end]..end);
        end = starts[end];
    }
    segments.reverse();
    segments
}

/// Sums of squared deviations of stretches from their means, each in constant time.
struct SquaredDeviations {
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl SquaredDeviations {
    fn new(values: &[f64]) -> Self {
        // Around the first value the squares stay small and their differences exact enough.
        let centred: Vec<f64> = values.iter().map(|value| value - values[0]).collect();
        let squared: Vec<f64> = centred.iter().map(|value| value * value).collect();
        Self { sums: prefix_sums(&centred), squares: prefix_sums(&squared) }
    }

    fn of(&self, stretch: Range<usize>) -> f64 {
        let sum = self.sums[stretch.end] - self.sums[stretch.start];
        let squares = self.squares[stretch.end] - self.squares[stretch.start];
        (squares - sum * sum / stretch.len() as f64).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_moved_within_its_reach_and_leaves_something_on_either_side() {
        assert_eq!(around(10, 3, 0..20), 7..=13);
        assert_eq!(around(10, 3, 8..12), 9..=11);
    }
}
