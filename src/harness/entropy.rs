//! The entropy criterion: a sample is long enough once further values no longer change what is known of their distribution.
//!
//! After each value the entropy of the values so far is taken, `-Σ p log₂ p` over the distinct ones. It rises while new
//! values keep turning up and flattens once the same ones return. A line through the last entropies tells: it must be
//! level and fit. The criterion and its limits are nvbench's, where it was proposed for GPU times
//! (<https://github.com/NVIDIA/nvbench>, `nvbench/detail/entropy_criterion.cxx`: `max-angle` 0.048, `min-r2` 0.36). Other
//! than there a falling line is as unsettled as a rising one.
//!
//! It counts equal values, so it is made for clocks with steps, as those of GPU events are. Of n values that are all
//! different the entropy is log₂ n, which is level in this sense after about 1900 values, whatever they are.

use std::collections::VecDeque;

/// Steepest line that is called level, in degrees: bits of entropy over values.
const MAX_ANGLE_DEGREES: f64 = 0.048;

/// Least share of the entropies' variance that the line explains.
const MIN_R_SQUARED: f64 = 0.36;

/// How many of the last entropies the line goes through.
const WINDOW: usize = 299;

/// Variance below which entropies differ by rounding alone.
const ROUNDING: f64 = 1e-18;

/// The entropies of a growing sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Entropy {
    values: u32,
    /// Σ c log₂ c over how often each distinct value is there.
    repeated: f64,
    recent: VecDeque<f64>,
}

impl Entropy {
    /// Takes a value of which `equals` were there before.
    pub(super) fn add(&mut self, equals: usize) {
        let weight = |count: f64| if count > 0.0 { count * count.log2() } else { 0.0 };
        let equals = equals as f64;
        self.values += 1;
        self.repeated += weight(equals + 1.0) - weight(equals);
        let values = f64::from(self.values);
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(values.log2() - self.repeated / values);
    }

    /// Whether the line through the last entropies is level and fits.
    pub(super) fn has_settled(&self) -> bool {
        let count = self.recent.len() as f64;
        if count < 2.0 {
            return false;
        }
        let (mean_place, mean) = ((count - 1.0) / 2.0, self.recent.iter().sum::<f64>() / count);
        let (mut places, mut both, mut entropies) = (0.0, 0.0, 0.0);
        for (place, entropy) in self.recent.iter().enumerate() {
            let (along, up) = (place as f64 - mean_place, entropy - mean);
            places += along * along;
            both += along * up;
            entropies += up * up;
        }
        if entropies <= ROUNDING * count {
            return true;
        }
        let angle = (both / places).atan().to_degrees().abs();
        angle <= MAX_ANGLE_DEGREES && both * both / (places * entropies) >= MIN_R_SQUARED
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Decision, Sampler, SamplingOptions, StopReason, StopRule, Warmup};

    const STEP: f64 = 32e-9;

    /// Samples `value(i)` by entropy, each taking `each`, and says why and after how many it stopped.
    fn sample(options: SamplingOptions, each: Duration, value: impl Fn(u64) -> f64) -> (StopReason, u32) {
        let options = SamplingOptions { stop: StopRule::Entropy, warmup: Warmup::Count(0), ..options };
        let mut sampler = Sampler::new(options, Duration::ZERO);
        for i in 0.. {
            match sampler.decide(each * i) {
                Decision::Stop(reason) => return (reason, sampler.taken()),
                Decision::WarmUp | Decision::Measure => sampler.measured(Some(value(u64::from(i)))),
            }
        }
        unreachable!("a sampler stops")
    }

    /// One of eight steps, at random.
    fn noise(i: u64) -> f64 {
        let mut bits = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        100e-6 + STEP * ((bits >> 61) as f64)
    }

    fn many() -> SamplingOptions {
        SamplingOptions { max_runs: 1200, ..SamplingOptions::default() }
    }

    #[test]
    fn noise_of_a_few_steps_settles() {
        let (reason, taken) = sample(many(), Duration::ZERO, noise);
        assert_eq!(reason, StopReason::Settled);
        assert!((100..1200).contains(&taken), "{taken}");
    }

    #[test]
    fn values_that_drift_do_not_settle() {
        let drifting = |i: u64| 100e-6 + STEP * (i / 4) as f64;
        assert_eq!(sample(many(), Duration::ZERO, drifting), (StopReason::Runs, 1200));
    }

    #[test]
    fn noise_that_begins_to_drift_unsettles() {
        let options = SamplingOptions { min_runs: 900, ..many() };
        let drifting = |i: u64| if i < 600 { noise(i) } else { 200e-6 + STEP * i as f64 };
        assert_eq!(sample(options.clone(), Duration::ZERO, drifting), (StopReason::Runs, 1200));
        assert_eq!(sample(options, Duration::ZERO, noise), (StopReason::Settled, 900));
    }

    #[test]
    fn equal_values_settle_at_the_fewest() {
        let options = SamplingOptions { min_runs: 30, ..many() };
        assert_eq!(sample(options, Duration::ZERO, |_| 0.1), (StopReason::Settled, 30));
    }

    #[test]
    fn time_ends_what_does_not_settle() {
        let options = SamplingOptions { max_time: Duration::from_secs(5), ..many() };
        assert_eq!(sample(options, Duration::from_millis(50), |i| i as f64), (StopReason::Time, 100));
    }
}
