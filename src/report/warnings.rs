//! Warnings of the judge in words, each with what to do. What a verdict rests on is worded in `words`.

use super::Notice;
use super::number::quantity;
use super::words::{percent_or_none, series_name, too_noisy};
use crate::judge::{JudgeWarning, SeriesVerdict};

/// The warnings of one series, worded.
pub fn warnings_of(series: &SeriesVerdict) -> Vec<Notice> {
    series.warnings.iter().map(|warning| worded(warning, series)).collect()
}

fn worded(warning: &JudgeWarning, series: &SeriesVerdict) -> Notice {
    let name = series_name(&series.key);
    let unit = &series.metric.unit;
    match warning {
        JudgeWarning::Excluded(excluded) => Notice::new(
            "excluded_runs",
            format!(
                "{name}: {} no baseline ({} measured with uncommitted changes, {} barred, {} in another unit{})",
                if excluded.total() == 1 { "1 run is".to_owned() } else { format!("{} runs are", excluded.total()) },
                excluded.dirty,
                excluded.barred,
                excluded.other_unit,
                if excluded.untrusted > 0 { format!(", {} untrusted", excluded.untrusted) } else { String::new() }
            ),
        ),
        JudgeWarning::NoiseHidesLoss { detectable_percent } => Notice::new(
            "noise_hides_loss",
            format!(
                "{name}: the loss is beyond the threshold, but this series is so noisy that only {} could be proven",
                percent_or_none(*detectable_percent)
            ),
        )
        .hint("make more runs (git ratchet bench --runs 5, or record them) or make the testbed quieter"),
        JudgeWarning::TooNoisyToConfirm { spread_percent, hidden_percent } => {
            let found = too_noisy(*spread_percent, *hidden_percent);
            Notice::new("too_noisy_to_confirm", format!("{name}: measured again, but {found}"))
                .hint("check again while nothing else runs here, or give the benchmark a core of its own (taskset, chrt)")
        }
        JudgeWarning::BetterTurned { was } => Notice::new(
            "better_turned",
            format!(
                "{name}: recorded as {} is better, but its history says that {was} is better; judged as {0} is better",
                series.metric.better
            ),
        )
        .hint("if that is a mistake, record it again with the right --better; if not, give the metric a new name"),
        JudgeWarning::DirtyCandidate => {
            Notice::new("dirty_candidate", format!("{name}: measured with uncommitted changes; the verdict is about those, too"))
                .hint("commit, then measure again")
        }
        JudgeWarning::BarredCandidate { reason } => Notice::new("barred_candidate", format!("{name}: {reason}")),
        JudgeWarning::UntrustedCandidate => Notice::new(
            "untrusted_candidate",
            format!("{name}: nobody who may sign vouches for what was measured: it is judged, and never becomes a baseline"),
        )
        .hint("record it where the notes are signed: git ratchet doctor"),
        JudgeWarning::ExactRunsDiffer => {
            Notice::new("exact_runs_differ", format!("{name}: runs of one commit differ although the metric is exact"))
                .hint("record it without --exact, or find out what makes it vary")
        }
        JudgeWarning::SameMachineCode => Notice::new(
            "same_machine_code",
            format!("{name}: the machine code is the baseline's: the change is the environment's, not the code's"),
        )
        .hint("look at the testbed's facts: git ratchet show"),
        JudgeWarning::ExcuseExpired { excuse, expired } => Notice::new(
            "excuse_expired",
            format!("{name}: the excuse of {} ended on {}", excuse.author.name, expired.format("%Y-%m-%d")),
        ),
        JudgeWarning::ExcuseExceeded { excuse, until } => Notice::new(
            "excuse_exceeded",
            format!("{name}: {} excused it up to {} only", excuse.author.name, quantity(*until, unit)),
        ),
    }
}
