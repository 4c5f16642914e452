//! Two profiles side by side: which changes tell most about why one is slower.
//!
//! A change is weighed by its size, in steps that mean about the same for every counter, and by how far its counter is
//! from the kernel's time. Some counters follow from others (registers take room from warps), so that a finding is a
//! cause with the effects that moved as it makes them move. The rules are few and stand below as data: what they leave
//! out is in the table, at its own weight.

use super::metrics::{Group, KEY_METRICS, KeyMetric, STALLS, key_metric};
use crate::model::{Direction, KernelProfile, Unit};

/// One counter before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which counter.
    pub metric: &'static KeyMetric,
    /// In base units.
    pub before: f64,
    /// In base units.
    pub after: f64,
    /// The base unit.
    pub unit: Unit,
}

impl Change {
    /// The change of one metric, where both profiles have it in the same unit.
    fn of(metric: &'static KeyMetric, before: &KernelProfile, after: &KernelProfile) -> Option<Self> {
        let (old, new) = (before.metrics.get(metric.name)?, after.metrics.get(metric.name)?);
        (old.unit == new.unit).then(|| Self { metric, before: old.value, after: new.value, unit: new.unit.clone() })
    }

    /// Whether it is for the better; `None` where the counter has no better direction or did not move.
    pub fn is_better(&self) -> Option<bool> {
        let better = self.metric.better.filter(|_| self.before != self.after)?;
        Some((self.after > self.before) == (better == Direction::Higher))
    }

    /// Change in percent, positive for the better; `None` where there is no better direction or nothing to relate to.
    pub fn percent(&self) -> Option<f64> {
        let better = self.metric.better?;
        Some(better.change_percent(self.before, self.after)).filter(|percent| percent.is_finite())
    }

    /// How many steps it moved: ten points of a percentage, a quarter of a size, one warp more that waits.
    fn steps(&self) -> f64 {
        let difference = (self.after - self.before).abs();
        if difference == 0.0 {
            return 0.0;
        }
        if self.unit == Unit::PERCENT {
            return difference / 10.0;
        }
        if self.metric.group == Group::Stall {
            return difference;
        }
        let (small, large) = (self.before.abs().min(self.after.abs()), self.before.abs().max(self.after.abs()));
        if small == 0.0 { FROM_NOTHING_STEPS } else { ((large / small).ln() / 1.25_f64.ln()).min(FROM_NOTHING_STEPS) }
    }
}

/// Something that was not there at all and is now, or a change of eighteen times and more.
const FROM_NOTHING_STEPS: f64 = 13.0;

/// Smaller changes happen between two profiles of the same code.
const FEWEST_STEPS: f64 = 0.2;

/// A change and what it did to other counters.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What changed.
    pub cause: Change,
    /// What moved with it, as this cause makes it move; the largest first.
    pub effects: Vec<Change>,
    /// The larger, the more it tells.
    pub weight: f64,
}

/// A counter whose changes others follow.
struct Rule {
    cause: &'static str,
    /// How much a step of it tells.
    weight: f64,
    /// What follows, and whether it rises (or falls) when the cause rises.
    effects: &'static [(&'static str, Moves)],
}

#[derive(Clone, Copy, PartialEq)]
enum Moves {
    Along,
    Against,
}

use Moves::{Against, Along};

const OCCUPANCY: &str = "sm__warps_active.avg.pct_of_peak_sustained_active";
const THEORETICAL: &str = "sm__maximum_warps_per_active_cycle_pct";
const SHARED_STALL: &str = "smsp__average_warps_issue_stalled_short_scoreboard_per_issue_active.ratio";
const QUEUE_STALL: &str = "smsp__average_warps_issue_stalled_mio_throttle_per_issue_active.ratio";
const GLOBAL_STALL: &str = "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio";
const TENSOR: &str = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed";
const COMPUTE: &str = "sm__throughput.avg.pct_of_peak_sustained_elapsed";
const DRAM: &str = "dram__throughput.avg.pct_of_peak_sustained_elapsed";

const RULES: &[Rule] = &[
    Rule {
        cause: "smsp__sass_inst_executed_op_local_ld.sum",
        weight: 1.5,
        effects: &[("l1tex__t_sector_hit_rate.pct", Against), (GLOBAL_STALL, Along)],
    },
    Rule { cause: "launch__registers_per_thread", weight: 1.2, effects: &[(THEORETICAL, Against), (OCCUPANCY, Against)] },
    Rule { cause: "launch__shared_mem_per_block", weight: 1.0, effects: &[(THEORETICAL, Against), (OCCUPANCY, Against)] },
    Rule {
        cause: "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum",
        weight: 1.0,
        effects: &[(SHARED_STALL, Along), (QUEUE_STALL, Along)],
    },
    Rule {
        cause: "lts__t_sector_hit_rate.pct",
        weight: 1.0,
        effects: &[("dram__bytes_read.sum", Against), (GLOBAL_STALL, Against)],
    },
    Rule { cause: "l1tex__t_sector_hit_rate.pct", weight: 0.8, effects: &[(GLOBAL_STALL, Against)] },
    Rule { cause: "ratchet__dram_bytes", weight: 1.0, effects: &[(DRAM, Along)] },
    Rule { cause: TENSOR, weight: 1.2, effects: &[(COMPUTE, Along)] },
    Rule { cause: "smsp__inst_executed.sum", weight: 1.0, effects: &[("ratchet__flop", Along)] },
    Rule { cause: "ratchet__flop", weight: 1.0, effects: &[] },
    Rule { cause: OCCUPANCY, weight: 0.9, effects: &[(GLOBAL_STALL, Against)] },
    Rule { cause: "launch__waves_per_multiprocessor", weight: 0.6, effects: &[(OCCUPANCY, Along)] },
    Rule { cause: "launch__block_size", weight: 0.6, effects: &[("launch__grid_size", Against)] },
    Rule { cause: "smsp__thread_inst_executed_per_inst_executed.ratio", weight: 1.0, effects: &[] },
    Rule { cause: GLOBAL_STALL, weight: 0.8, effects: &[("smsp__issue_active.avg.pct_of_peak_sustained_active", Against)] },
];

/// A step of a counter without a rule: stalls and throughputs say that something is slow, not why.
fn plain_weight(metric: &KeyMetric) -> f64 {
    match metric.group {
        Group::Stall => 0.7,
        Group::Speed => 0.5,
        Group::Launch => 0.5,
        Group::Memory | Group::Compute => 0.6,
    }
}

/// What goes the same way as the duration explains it better than what goes the other way.
const AGAINST_DURATION: f64 = 0.4;

/// The change of the duration itself.
pub fn duration(before: &KernelProfile, after: &KernelProfile) -> Option<Change> {
    Change::of(key_metric("gpu__time_duration.sum")?, before, after)
}

/// What changed from one profile to another, the most telling first. The duration is not among them, and a counter that
/// is told as an effect is not told again.
pub fn findings(before: &KernelProfile, after: &KernelProfile) -> Vec<Finding> {
    let duration = duration(before, after).and_then(|change| change.is_better());
    let all = KEY_METRICS.iter().chain(STALLS).filter(|metric| metric.name != "gpu__time_duration.sum");
    let changes: Vec<Change> =
        all.filter_map(|metric| Change::of(metric, before, after)).filter(|change| change.steps() >= FEWEST_STEPS).collect();
    let mut findings: Vec<Finding> = changes.iter().map(|change| finding(change, &changes, duration)).collect();
    findings.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    without_repetitions(findings)
}

fn finding(cause: &Change, changes: &[Change], duration_is_better: Option<bool>) -> Finding {
    let rule = RULES.iter().find(|rule| rule.cause == cause.metric.name);
    let mut effects: Vec<Change> = rule
        .into_iter()
        .flat_map(|rule| rule.effects)
        .filter_map(|(name, moves)| {
            let effect = changes.iter().find(|change| change.metric.name == *name)?;
            let is_along = (effect.after > effect.before) == (cause.after > cause.before);
            (is_along == (*moves == Moves::Along)).then(|| effect.clone())
        })
        .collect();
    effects.sort_by(|one, other| other.steps().total_cmp(&one.steps()));
    let own = cause.steps() * rule.map_or_else(|| plain_weight(cause.metric), |rule| rule.weight);
    let along = effects.first().map_or(0.0, |effect| effect.steps().min(own));
    let direction = match (cause.is_better(), duration_is_better) {
        (Some(cause), Some(duration)) if cause != duration => AGAINST_DURATION,
        _ => 1.0,
    };
    Finding { cause: cause.clone(), effects, weight: direction * (own + along) }
}

/// Drops what a finding before it has told as an effect, and effects that were told as a cause.
fn without_repetitions(findings: Vec<Finding>) -> Vec<Finding> {
    let mut told: Vec<&'static str> = Vec::new();
    let mut kept = Vec::new();
    for mut finding in findings {
        if told.contains(&finding.cause.metric.name) {
            continue;
        }
        finding.effects.retain(|effect| !told.contains(&effect.metric.name));
        told.push(finding.cause.metric.name);
        told.extend(finding.effects.iter().map(|effect| effect.metric.name));
        kept.push(finding);
    }
    kept
}
