//! Why a verdict is what it is, as numbers: a report makes the words.

use super::{BaselineRule, ConfirmPlan};
use crate::model::ObjectId;

/// Why a verdict is what it is: numbers for a report to put into words.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// The rule that chose the baseline.
    pub rule: BaselineRule,
    /// Whether no statistics took part: exact metrics, `best-run`, and where there was nothing to compare.
    pub exact: bool,
    /// How many runs of the history took part, after excuses.
    pub history_runs: usize,
    /// Standard deviation between runs, in percent; `None` where values were compared exactly.
    pub noise_percent: Option<f64>,
    /// The loss from which the history raises suspicion, in percent.
    pub gate_percent: Option<f64>,
    /// Whether the loss lies beyond the gate: a paired confirmation is worth its time.
    pub suspicious: bool,
    /// What the history alone says of a change this large.
    pub history: Option<HistoryTest>,
    /// The baseline is a better level seen in the newest one or two runs only; if the next run is as before, it was a fluke.
    pub provisional: bool,
    /// How a paired re-measurement would go about it, where there is something to confirm.
    pub plan: Option<ConfirmPlan>,
    /// What a paired re-measurement said.
    pub confirmation: Option<Confirmation>,
    /// The loss, or most of it, is older than the candidate.
    pub creep: Option<Creep>,
    /// Undecided: with this many more runs, of the candidate and of the baseline each, a change of this size would be decided.
    pub more_runs_needed: Option<usize>,
    /// Whether the candidate ran the same machine code as the baseline; `None` where the records of either do not say.
    pub same_machine_code: Option<bool>,
    /// Whether nothing here says how to measure it again. Settings tell, which the judge does not know: it says no.
    pub only_recorded: bool,
}

impl Reasons {
    /// Of a verdict that needed no statistics.
    pub(super) fn exact(rule: BaselineRule) -> Self {
        Self {
            rule,
            exact: true,
            history_runs: 0,
            noise_percent: None,
            gate_percent: None,
            suspicious: false,
            history: None,
            provisional: false,
            plan: None,
            confirmation: None,
            creep: None,
            more_runs_needed: None,
            same_machine_code: None,
            only_recorded: false,
        }
    }
}

/// Could the best level, unchanged, have come out like the candidate?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryTest {
    /// One-sided probability of a change this large without any cause.
    pub p: f64,
    /// The p from which a change counts as real.
    pub alpha: f64,
    /// The smallest loss that this history could prove, in percent; `None` where the baseline is zero.
    pub detectable_percent: Option<f64>,
    /// The largest excursion: by how much a single commit of this history was worse than those around it, in percent,
    /// without a lasting change. A single commit convicts only well beyond that. `None` where there was none.
    pub excursion_percent: Option<f64>,
}

/// The outcome of a paired re-measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confirmation {
    /// How many interleaved pairs were measured.
    pub pairs: usize,
    /// How many commits of the level they were measured against.
    pub references: usize,
    /// Hodges-Lehmann shift as a change in percent, positive for the better; `None` where the baseline is zero.
    pub shift_percent: Option<f64>,
    /// Worse end of its 95 % interval in percent.
    pub low_percent: Option<f64>,
    /// Better end of its 95 % interval in percent.
    pub high_percent: Option<f64>,
    /// What the shift has to be beyond to convict: the threshold, or what the luck of layouts can do where that is more.
    /// Before the last pair a tenth more is asked for.
    pub needed_percent: Option<f64>,
    /// By how much single runs of one binary scattered within the session: a robust standard deviation in percent.
    pub spread_percent: f64,
    /// One-sided exact Mann-Whitney probability.
    pub p: f64,
    /// Why measuring stopped.
    pub stopped: StopReason,
}

/// Why a confirmation stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The change is real: proven before or at the last planned pair.
    Proven,
    /// The shift is so small that going on would be futile.
    Futile,
    /// All planned pairs were measured and did not prove it.
    NotProven,
    /// It is there, but no larger than what the layout of a binary can do by luck.
    WithinLayoutNoise,
    /// All planned pairs were measured, and scatter so much that a loss well beyond the threshold may hide in them.
    TooNoisy,
    /// Measuring ended before the rule allowed a decision.
    TooFewPairs,
}

impl StopReason {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Futile => "futile",
            Self::NotProven => "not_proven",
            Self::WithinLayoutNoise => "within_layout_noise",
            Self::TooNoisy => "too_noisy",
            Self::TooFewPairs => "too_few_pairs",
        }
    }
}

/// A loss of which the candidate itself caused the smaller part: it crept in, or was let in earlier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Creep {
    /// Change against the baseline, in percent, positive is better; `None` where the baseline is zero.
    pub total_percent: Option<f64>,
    /// The candidate's own part: change against the runs just before it.
    pub own_percent: Option<f64>,
    /// The last commit that held the baseline.
    pub from: ObjectId,
    /// The newest commit of the history that was measured.
    pub to: ObjectId,
    /// How many commits lie from one to the other.
    pub commits: usize,
}
