//! Small reimplementations of what other tools decide, with their defaults, one-sided: only slower is an alarm.
//!
//! They judge the median of a commit's runs on the log scale. They are readings of those tools' sources and
//! documentation, not the tools themselves.

use git_ratchet::stats::{distribution, mean, median, quantile, variance};

use super::rule::{Outcome, Rule, THRESHOLD};
use super::world::World;

/// What all of them remember: one value per commit.
#[derive(Default)]
struct History(Vec<f64>);

impl History {
    fn push(&mut self, runs: &[f64]) {
        self.0.extend(median(runs));
    }

    fn newest(&self, count: usize) -> &[f64] {
        &self.0[self.0.len().saturating_sub(count)..]
    }
}

/// Declares a rule that looks at the history and the value of the commit.
macro_rules! peer {
    ($(#[$doc:meta])* $name:ident, $decide:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name(History);

        impl Rule for $name {
            fn judge(&self, runs: &[f64], _: Option<&mut World>) -> Outcome {
                let decide: fn(&History, f64) -> Option<bool> = $decide;
                Outcome::free(median(runs).and_then(|value| decide(&self.0, value)).unwrap_or(false))
            }

            fn record(&mut self, runs: &[f64]) {
                self.0.push(runs);
            }
        }
    };
}

peer! {
    /// Fails what is more than 3 % slower than the best single value ever.
    BestEver, |history, value| {
        let best = history.0.iter().copied().reduce(f64::min)?;
        Some(value - best > THRESHOLD)
    }
}

peer! {
    /// Fails what is more than 3 % slower than the commit before.
    Previous, |history, value| Some(value - history.0.last()? > THRESHOLD)
}

peer! {
    /// git-perf's audit: more than four standard deviations from the mean of the newest 40 commits.
    GitPerf, |history, value| {
        let tail = history.newest(40);
        let deviation = variance(tail)?.sqrt();
        Some(value - mean(tail)? > 4.0 * deviation)
    }
}

peer! {
    /// Bencher's t-test: beyond the upper 0.99 prediction limit of the newest 64 values.
    Bencher, |history, value| {
        let tail = history.newest(64);
        let n = tail.len() as f64;
        let deviation = (variance(tail)? * (1.0 + 1.0 / n)).sqrt();
        Some(value - mean(tail)? > distribution::student_quantile(0.99, n - 1.0)? * deviation)
    }
}

peer! {
    /// rustc-perf: a change from the parent beyond Q3 + 3 IQR of the newest 100 such changes; 0.2 % where there are fewer
    /// than four to take quartiles of.
    RustcPerf, |history, value| {
        let change = value - history.0.last()?;
        let mut changes: Vec<f64> = history.newest(101).windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        changes.sort_unstable_by(f64::total_cmp);
        if changes.len() < 4 {
            return Some(change >= 0.002);
        }
        let (first, third) = (quantile(&changes, 0.25)?, quantile(&changes, 0.75)?);
        Some(change >= third + 3.0 * (third - first))
    }
}

peer! {
    /// Conbench's look-back z-score: more than five standard deviations from the mean of the newest 100 commits.
    Conbench, |history, value| {
        let tail = history.newest(100);
        let deviation = variance(tail)?.sqrt();
        Some((value - mean(tail)?) > 5.0 * deviation)
    }
}
