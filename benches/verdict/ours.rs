//! Our rule, through the same functions that `check` calls.

use chrono::DateTime;
use git_ratchet::judge::{
    Baseline, BaselineRule, Candidate, ConfirmPlan, MeasuredRun, NoisePrior, Pair, Series, SeriesInput, SeriesVerdict, Side,
    Step, Thresholds, Verdict, judge_series,
};
use git_ratchet::model::{BenchmarkName, Config, LineId, Metric, ObjectId, SeriesKey, Summary};

use super::rule::{Outcome, Rule};
use super::world::World;

/// The best level, by history alone or with a paired confirmation.
pub struct Level {
    series: Series,
    thresholds: Thresholds,
    confirms: bool,
    family: usize,
    commits: usize,
}

impl Default for Level {
    fn default() -> Self {
        let metric = Metric::time();
        let key = SeriesKey {
            benchmark: BenchmarkName::new("simulated").unwrap_or_else(|_| unreachable!("a plain name")),
            config: Config::default(),
            metric: metric.name.clone(),
            testbed: "simulated".to_owned(),
        };
        Self { series: Series::empty(key, metric), thresholds: Thresholds::default(), confirms: false, family: 1, commits: 0 }
    }
}

impl Level {
    /// With a paired confirmation of what is suspicious.
    pub fn confirming() -> Self {
        Self { confirms: true, ..Self::default() }
    }

    /// As one of `family` series of a check.
    pub fn among(family: usize) -> Self {
        Self { family, ..Self::default() }
    }

    /// The same rule with another threshold.
    pub fn with_threshold(self, regression_percent: f64) -> Self {
        Self { thresholds: Thresholds { regression_percent, ..self.thresholds }, ..self }
    }

    fn verdict(&self, runs: &[f64], pairs: &[Pair]) -> SeriesVerdict {
        let candidate = Candidate { runs: self.measured(runs), ..Candidate::default() };
        judge_series(&SeriesInput {
            series: &self.series,
            candidate: &candidate,
            thresholds: self.thresholds,
            rule: BaselineRule::Level,
            strict: false,
            excuses: &[],
            now: DateTime::UNIX_EPOCH,
            prior: NoisePrior::default(),
            pairs,
            suspects: 1,
            family: self.family,
        })
    }

    fn measured(&self, runs: &[f64]) -> Vec<MeasuredRun> {
        let measured = |run: &f64| MeasuredRun {
            commit: commit_id(self.commits),
            position: usize::MAX - self.commits,
            run: LineId::from_parts(1, self.commits as u128),
            time: DateTime::UNIX_EPOCH,
            summary: Summary::single(run.exp()),
            machine_code: None,
        };
        runs.iter().map(measured).collect()
    }
}

impl Rule for Level {
    fn judge(&self, runs: &[f64], world: Option<&mut World>) -> Outcome {
        let verdict = self.verdict(runs, &[]);
        match (verdict.reasons.plan, &verdict.baseline, world) {
            (Some(plan), Some(baseline), Some(world)) if self.confirms && plan.side == Side::Loss => {
                let pairs = remeasure(&plan, baseline, world);
                let verdict = self.verdict(runs, &pairs).verdict;
                let (alarm, undecided) = (verdict == Verdict::Regression, verdict == Verdict::Undecided);
                Outcome { alarm, undecided, extra_runs: 2 * pairs.len() }
            }
            _ => Outcome::free(verdict.verdict == Verdict::Regression),
        }
    }

    fn record(&mut self, runs: &[f64]) {
        self.series.runs.extend(self.measured(runs));
        self.commits += 1;
    }
}

/// Measures pairs in one session for as long as the plan asks, against the newest commits of the level in turn, as
/// `check --confirm` does it.
fn remeasure(plan: &ConfirmPlan, baseline: &Baseline, world: &mut World) -> Vec<Pair> {
    let session = world.confirmation();
    let candidate = world.len() - 1;
    let references: Vec<ObjectId> = baseline.commits.iter().rev().take(ConfirmPlan::MOST_REFERENCES).copied().collect();
    let mut pairs = Vec::new();
    while plan.next_step(&pairs) == Step::Continue {
        let reference_commit = references[pairs.len() % references.len()];
        let (reference, again) = (world.run(commit_number(&reference_commit), session), world.run(candidate, session));
        pairs.push(Pair { reference: reference.exp(), candidate: again.exp(), reference_commit });
    }
    pairs
}

fn commit_id(number: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    ObjectId::from_bytes(&bytes).unwrap_or_else(|| unreachable!("twenty bytes"))
}

fn commit_number(id: &ObjectId) -> usize {
    id.as_bytes()[12..].iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
