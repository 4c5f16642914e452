//! The Mann-Whitney test, exact where the samples are small, ties or not.
//!
//! With ties the exact distribution is the conditional one: every split of the observed midranks into two groups is
//! equally likely, and since doubled midranks are whole numbers, a dynamic programme counts them. Without ties the counts depend on
//! the sizes alone and are the coefficients of a Gaussian binomial, which takes far fewer steps.

use super::distribution;

/// Both samples together may have this many values for the exact distribution; counts stay within the range of a
/// double and a test within milliseconds.
pub const EXACT_LIMIT: usize = 100;

/// How the probabilities of a [`MannWhitney`] were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// By counting all splits.
    Exact,
    /// By the normal approximation with continuity and tie correction.
    Normal,
}

/// The outcome of a Mann-Whitney test of two samples x and y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// How many pairs (x, y) have x > y; ties count half.
    pub u: f64,
    /// Probability of a U this small or smaller if both come from one distribution: small where x tends to be less.
    pub p_less: f64,
    /// Probability of a U this large or larger: small where x tends to be greater.
    pub p_greater: f64,
    /// Probability of a U this far from the middle.
    pub p_two_sided: f64,
    /// How the probabilities were found.
    pub method: Method,
}

/// Tests whether x tends to be less or greater than y (Mann and Whitney, *On a test of whether one of two random
/// variables is stochastically larger than the other*, 1947). `None` where a sample is empty.
pub fn mann_whitney(x: &[f64], y: &[f64]) -> Option<MannWhitney> {
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let ranks = Midranks::new(x, y);
    let (p_less, p_greater, method) = if x.len() + y.len() <= EXACT_LIMIT {
        let (less, greater) = ranks.exact_tails();
        (less, greater, Method::Exact)
    } else {
        let (less, greater) = ranks.normal_tails();
        (less, greater, Method::Normal)
    };
    let p_two_sided = (2.0 * p_less.min(p_greater)).min(1.0);
    Some(MannWhitney { u: ranks.u(), p_less, p_greater, p_two_sided, method })
}

/// Ranks of two samples put together.
struct Midranks {
    /// Twice the midrank of every value, ascending.
    doubled: Vec<usize>,
    /// Twice the rank sum of x.
    doubled_sum: usize,
    n_x: usize,
    n_y: usize,
    /// Σ(t³ − t) over groups of t tied values.
    tie_term: f64,
}

impl Midranks {
    fn new(x: &[f64], y: &[f64]) -> Self {
        let mut all: Vec<(f64, bool)> = x.iter().map(|v| (*v, true)).chain(y.iter().map(|v| (*v, false))).collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranks = Self { doubled: Vec::new(), doubled_sum: 0, n_x: x.len(), n_y: y.len(), tie_term: 0.0 };
        for tied in all.chunk_by(|a, b| a.0 == b.0) {
            let first = ranks.doubled.len() + 1;
            let doubled = 2 * first + tied.len() - 1;
            ranks.doubled.extend(tied.iter().map(|_| doubled));
            ranks.doubled_sum += doubled * tied.iter().filter(|(_, of_x)| *of_x).count();
            ranks.tie_term += (tied.len() as f64).powi(3) - tied.len() as f64;
        }
        ranks
    }

    fn u(&self) -> f64 {
        self.doubled_sum as f64 / 2.0 - (self.n_x * (self.n_x + 1)) as f64 / 2.0
    }

    /// P(U ≤ u) and P(U ≥ u) over all splits.
    fn exact_tails(&self) -> (f64, f64) {
        let (counts, at) = if self.tie_term == 0.0 {
            (count_untied(self.n_x, self.n_y), (self.doubled_sum - self.n_x * (self.n_x + 1)) / 2)
        } else {
            (count_splits(&self.doubled, self.n_x), self.doubled_sum)
        };
        let total: f64 = counts.iter().sum();
        let less: f64 = counts[..=at].iter().sum();
        let greater: f64 = counts[at..].iter().sum();
        (less / total, greater / total)
    }

    /// The same by the normal approximation (Lehmann, *Nonparametrics*, 1975, section 1.4).
    fn normal_tails(&self) -> (f64, f64) {
        let (n_x, n_y) = (self.n_x as f64, self.n_y as f64);
        let n = n_x + n_y;
        let sigma = (n_x * n_y / 12.0 * ((n + 1.0) - self.tie_term / (n * (n - 1.0)))).sqrt();
        if sigma == 0.0 {
            return (1.0, 1.0);
        }
        let distance = self.u() - n_x * n_y / 2.0;
        let tail = |distance: f64| distribution::normal_cdf(-(distance - 0.5) / sigma);
        (tail(-distance), tail(distance))
    }
}

/// How many ways there are to choose `chosen` of `weights` for each sum of the chosen: index is the sum.
fn count_splits(weights: &[usize], chosen: usize) -> Vec<f64> {
    let width = weights.iter().rev().take(chosen).sum::<usize>() + 1;
    let mut counts = vec![vec![0.0; width]; chosen + 1];
    counts[0][0] = 1.0;
    for (used, &weight) in weights.iter().enumerate() {
        for taken in (1..=chosen.min(used + 1)).rev() {
            let (fewer, more) = counts.split_at_mut(taken);
            let shifted = &fewer[taken - 1][..width.saturating_sub(weight)];
            more[0][weight.min(width)..].iter_mut().zip(shifted).for_each(|(to, from)| *to += from);
        }
    }
    counts.pop().unwrap_or_default()
}

/// How many splits of values without ties there are for each U from 0 to `n_x`·`n_y`: the coefficients of the Gaussian binomial,
/// which is the product of (1 − q^(m+i)) / (1 − q^i) for i from 1 to n. The upper half mirrors the lower.
fn count_untied(n_x: usize, n_y: usize) -> Vec<f64> {
    let largest = n_x * n_y;
    let mut counts = vec![0.0; largest / 2 + 1];
    counts[0] = 1.0;
    for step in 1..=n_x.min(n_y) {
        let multiplied = n_x.max(n_y) + step;
        for at in (multiplied..counts.len()).rev() {
            counts[at] -= counts[at - multiplied];
        }
        for at in step..counts.len() {
            counts[at] += counts[at - step];
        }
    }
    (0..=largest).map(|u| counts[u.min(largest - u)]).collect()
}

/// The largest c ≥ 1 with P(U ≤ c − 1) ≤ `tail` for samples of these sizes without ties: the c-th smallest and c-th
/// largest of the pairwise differences bound the shift. `None` where the samples are too small.
pub(super) fn critical_rank(n_x: usize, n_y: usize, tail: f64) -> Option<usize> {
    if n_x + n_y > EXACT_LIMIT {
        return normal_critical_rank(n_x as f64, n_y as f64, tail);
    }
    let counts = count_untied(n_x, n_y);
    let total: f64 = counts.iter().sum();
    let mut below = 0.0;
    let rank = counts.iter().take_while(|count| {
        below += **count;
        below / total <= tail
    });
    Some(rank.count()).filter(|rank| *rank > 0)
}

fn normal_critical_rank(n_x: f64, n_y: f64, tail: f64) -> Option<usize> {
    let z = distribution::normal_quantile(1.0 - tail)?;
    let rank = (n_x * n_y / 2.0 - z * (n_x * n_y * (n_x + n_y + 1.0) / 12.0).sqrt()).floor();
    (rank >= 1.0).then_some(rank as usize)
}
