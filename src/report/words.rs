//! Reasons and warnings in words. The judge gives numbers; every text format says them with these sentences.

use std::collections::HashSet;
use std::fmt::Display;

use super::escape;
use super::number::{change, count, quantity, significant};
use super::overview::FactChange;
use crate::judge::{
    AppliedExcuse, Baseline, BaselineRule, Confirmation, ExcuseEffect, Follower, Judgement, PairedShift, SeriesVerdict,
    StopReason, Verdict,
};
use crate::model::{Config, Excuse, ObjectId, SeriesKey};

/// Digits of a commit id in text.
pub const SHORT_ID: usize = 9;

/// `b [B=32 H=8]` — a point in a sentence.
pub fn point_name(benchmark: &dyn Display, config: &Config) -> String {
    if config.is_empty() { benchmark.to_string() } else { format!("{benchmark} [{config}]") }
}

/// `b [B=32 H=8] time` — a series in a sentence. The testbed is left out: one check rarely spans several.
pub fn series_name(key: &SeriesKey) -> String {
    format!("{} {}", point_name(&key.benchmark, &key.config), key.metric)
}

/// `a, b, c and 9 more` — names in a sentence that has to stay one line.
pub fn a_few<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 4;
    let words = |names: &[T]| names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len() {
        // One name more takes no more room than saying so.
        few if few <= MOST + 1 => words(names),
        many => format!("{} and {} more", words(&names[..MOST]), many - MOST),
    }
}

/// The command that says what differs between the baseline of a point and this commit, as a shell takes it.
pub fn explain_command(key: &SeriesKey, candidate: ObjectId) -> String {
    format!("{} {}", command("explain", key), candidate.short(SHORT_ID))
}

/// The commands that explain these series, one for each point, since it looks at all metrics; at most five.
pub fn explain_commands<'a>(keys: impl Iterator<Item = &'a SeriesKey>, candidate: ObjectId) -> Vec<String> {
    const MOST: usize = 5;
    let mut told = HashSet::new();
    let points = keys.filter(|key| told.insert((&key.benchmark, &key.config)));
    points.take(MOST).map(|key| explain_command(key, candidate)).collect()
}

/// The command that finds the commit which moved a series before this commit.
pub fn bisect_command(key: &SeriesKey, candidate: ObjectId) -> String {
    format!("{} --metric {} --new {}", command("bisect", key), quoted(key.metric.as_str()), candidate.short(SHORT_ID))
}

/// The command that accepts the losses of a point.
pub fn excuse_command(key: &SeriesKey, candidate: ObjectId) -> String {
    format!("{} --commit {} --reason \"…\"", command("excuse", key), candidate.short(SHORT_ID))
}

fn command(verb: &str, key: &SeriesKey) -> String {
    let benchmark = quoted(key.benchmark.as_str());
    if key.config.is_empty() {
        return format!("git ratchet {verb} {benchmark}");
    }
    format!("git ratchet {verb} {benchmark} --config {}", quoted(&key.config.to_string()))
}

/// A word as a shell takes it.
pub fn quoted(text: &str) -> String {
    escape::terminal_short(&shell_words::quote(text), 400)
}

/// Stands behind what nobody who may sign vouches for.
pub fn trust_mark(is_trusted: bool) -> &'static str {
    if is_trusted { "" } else { " untrusted" }
}

/// `driver 550.54 → 560.28`.
pub fn fact_change(change: &FactChange) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    format!("{} {} → {}", change.name, side(&change.before), side(&change.after))
}

/// What a verdict is called in a table.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotMeasured => "not measured",
        other => other.as_str(),
    }
}

/// Why a verdict is what it is, where it is shown alone: what was found, and what would settle it.
pub fn reasons(series: &SeriesVerdict) -> Vec<String> {
    findings(series).into_iter().chain(offers(&[series])).collect()
}

/// What was found of a series: one sentence for each thing that took part in its verdict.
pub fn findings(series: &SeriesVerdict) -> Vec<String> {
    let reasons = &series.reasons;
    let mut said = Vec::new();
    said.extend(baseline_sentence(series));
    if let Some(noise) = reasons.noise_percent {
        let gate = reasons
            .gate_percent
            .map_or(String::new(), |gate| format!("; a loss beyond {} % is suspicious", significant(gate, 3)));
        said.push(format!(
            "noise between runs {} %{gate}; threshold {} %",
            significant(noise, 3),
            significant(series.thresholds.regression_percent, 3)
        ));
    }
    if let Some(history) = &reasons.history {
        said.push(format!(
            "by history alone: p {} (real below {}); the smallest change this history can prove is {}",
            probability(history.p),
            significant(history.alpha, 2),
            percent_or_none(history.detectable_percent)
        ));
        if let Some(excursion) = history.excursion_percent {
            said.push(format!(
                "single commits of this history were worse by up to {} % and not followed; one commit convicts from twice that on",
                significant(excursion, 3)
            ));
        }
    }
    if reasons.provisional {
        said.push(
            "the baseline is provisional: only the newest one or two commits reached it, and if the next is as before it is forgotten"
                .to_owned(),
        );
    }
    said.extend(reasons.confirmation.as_ref().map(confirmation_sentence));
    if let Some(creep) = &reasons.creep {
        said.push(format!(
            "crept in: {} in all, {} of it here; the rest came over {} from {} to {}",
            change_or_none(creep.total_percent),
            change_or_none(creep.own_percent),
            count(creep.commits, "commit"),
            creep.from.short(SHORT_ID),
            creep.to.short(SHORT_ID)
        ));
    }
    if let Some(needed) = reasons.more_runs_needed {
        let how = if reasons.only_recorded {
            "record them".to_owned()
        } else {
            format!("git ratchet bench --again --runs {needed} --commits COMMIT, for each")
        };
        said.push(format!("{} of this commit and of the baseline each would decide: {how}", count(needed, "more run")));
    }
    said
}

/// Who accepted what, and why.
pub fn excused(applied: &AppliedExcuse) -> String {
    excuse(&applied.excuse)
}

/// The same of an excuse that need not have done anything.
pub fn excuse(excuse: &Excuse) -> String {
    format!("excused by {} on {}: {}", excuse.author.name, excuse.time.format("%Y-%m-%d"), excuse.reason)
}

/// Whether it holds only because somebody accepted the loss.
pub fn is_forgiven(series: &SeriesVerdict) -> bool {
    series.excuse.as_ref().is_some_and(|applied| matches!(applied.effect, ExcuseEffect::Forgave { .. }))
}

/// Whether it was not measured again yet, and git-ratchet can.
pub fn can_be_confirmed(series: &SeriesVerdict) -> bool {
    let reasons = &series.reasons;
    reasons.confirmation.is_none() && reasons.plan.is_some() && !reasons.only_recorded
}

/// What would settle the suspicions, or prove the gains, that were not measured again: said once for all of these series. A
/// regression that history alone has proven needs none of it.
pub fn offers(series: &[&SeriesVerdict]) -> Vec<String> {
    let open = || series.iter().filter(|series| series.verdict != Verdict::Regression);
    // How often each may be measured again, of those that git-ratchet can measure.
    let pairs = |is_suspicious: bool| {
        let of_kind = open().filter(|series| series.reasons.suspicious == is_suspicious && can_be_confirmed(series));
        let pairs: Vec<usize> = of_kind.filter_map(|series| Some(series.reasons.plan?.most_pairs)).collect();
        Some((pairs.len(), pairs.into_iter().max()?))
    };
    let sentence = |what: &str, (of, most): (usize, usize)| {
        let each = if of == 1 { "" } else { " each" };
        format!(
            "{what}: up to {most} pairs{each}, measured in turn with the baseline, would settle it: git ratchet check --confirm"
        )
    };
    let suspicious = pairs(true).map(|pairs| sentence("suspicious", pairs));
    let better = pairs(false).map(|pairs| sentence("better, but not confirmed", pairs));
    let only_recorded = open().any(|series| {
        let reasons = &series.reasons;
        reasons.only_recorded && reasons.suspicious && reasons.plan.is_some() && reasons.confirmation.is_none()
    });
    let suite = only_recorded.then(|| {
        "suspicious, but only recorded: with a [[suite]] in ratchet.toml that measures it, git ratchet check --confirm could settle it"
            .to_owned()
    });
    suspicious.into_iter().chain(better).chain(suite).collect()
}

/// ` (confirmed)` behind a verdict that a paired re-measurement proved; what it found behind one that holds in spite of the
/// recorded change.
pub fn confirmed(series: &SeriesVerdict) -> String {
    match &series.reasons.confirmation {
        Some(confirmation) if confirmation.stopped == StopReason::Proven => " (confirmed)".to_owned(),
        Some(Confirmation { shift_percent: Some(percent), .. }) if series.verdict == Verdict::Pass => {
            format!(" (measured again: {})", change(*percent))
        }
        _ => String::new(),
    }
}

/// `the history of 3d57fc4d9`, or the revision that was named as the baseline.
pub fn against(judgement: &Judgement) -> String {
    let named = judgement.series.iter().any(|series| series.reasons.rule == BaselineRule::Revision);
    match judgement.base {
        Some(base) if named => base.short(SHORT_ID),
        Some(base) => format!("the history of {}", base.short(SHORT_ID)),
        None => "no history".to_owned(),
    }
}

fn baseline_sentence(series: &SeriesVerdict) -> Option<String> {
    let baseline = series.baseline.as_ref()?;
    let kind = match series.reasons.rule {
        BaselineRule::Level => "best level",
        BaselineRule::BestRun => "best run",
        BaselineRule::Revision => "runs of the named revision",
    };
    let interval = match (baseline.low, baseline.high) {
        (Some(low), Some(high)) => {
            format!(" ({} to {})", quantity(low, &series.metric.unit), quantity(high, &series.metric.unit))
        }
        _ => String::new(),
    };
    Some(format!(
        "{kind} of {}: {}{interval}, held by {}",
        count(series.reasons.history_runs, "run"),
        quantity(baseline.value, &series.metric.unit),
        held_by(baseline)
    ))
}

/// `0.012`, or `< 0.0001` where more digits say no more.
pub fn probability_alone(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { significant(p, 2) }
}

/// The same behind a letter: `= 0.012`.
fn probability(p: f64) -> String {
    let alone = probability_alone(p);
    if alone.starts_with('<') { alone } else { format!("= {alone}") }
}

/// Changes from or to zero have no percentage.
fn change_or_none(percent: Option<f64>) -> String {
    percent.map_or_else(|| "an unlimited change".to_owned(), change)
}

pub(super) fn percent_or_none(percent: Option<f64>) -> String {
    percent.map_or_else(|| "no change".to_owned(), |percent| format!("{} %", significant(percent, 3)))
}

/// The runs that hold a baseline, and where they are.
pub fn held_by(baseline: &Baseline) -> String {
    let newest = if baseline.commits.len() == Baseline::MOST_COMMITS { ", the newest" } else { "" };
    format!("{}{newest} at {}", count(baseline.runs, "run"), commits(&baseline.commits))
}

/// The commits of a level, the middle ones left out where there are many.
pub fn commits(ids: &[ObjectId]) -> String {
    let short = |id: &ObjectId| id.short(SHORT_ID);
    match ids {
        [] => "no commit".to_owned(),
        [first, .., last] if ids.len() > 3 => format!("{} … {} ({} commits)", short(first), short(last), ids.len()),
        few => few.iter().map(short).collect::<Vec<_>>().join(", "),
    }
}

fn confirmation_sentence(confirmation: &Confirmation) -> String {
    let interval = match (confirmation.low_percent, confirmation.high_percent) {
        (Some(low), Some(high)) => format!(" ({} to {})", change(low), change(high)),
        _ => String::new(),
    };
    let end = match confirmation.stopped {
        StopReason::Proven => "proven".to_owned(),
        StopReason::Futile => "too small to go on".to_owned(),
        StopReason::NotProven => "not proven".to_owned(),
        StopReason::WithinLayoutNoise => "no larger than the layout of a binary can cause by luck".to_owned(),
        StopReason::TooNoisy => too_noisy(confirmation.spread_percent, confirmation.low_percent.map(f64::abs)),
        StopReason::TooFewPairs => "too few pairs to decide".to_owned(),
    };
    format!(
        "measured again in {} interleaved pairs with {}: {}{interval} where more than {} is needed, p {}: {end}",
        confirmation.pairs,
        count(confirmation.references, "commit"),
        change_or_none(confirmation.shift_percent),
        change_or_none(confirmation.needed_percent),
        probability(confirmation.p)
    )
}

/// What a session says that could not tell.
pub(super) fn too_noisy(spread_percent: f64, hidden_percent: Option<f64>) -> String {
    let hidden =
        hidden_percent.map_or_else(|| "any loss".to_owned(), |percent| format!("a loss of {} %", significant(percent, 2)));
    format!(
        "this computer was too noisy to tell: single runs scattered by {} %, and {hidden} may hide in that",
        significant(spread_percent, 2)
    )
}

/// How a re-measurement stands: `5 of 24 pairs, −3.2 %, p = 0.01`.
pub fn so_far(confirmation: &Confirmation, most_pairs: usize) -> String {
    format!(
        "{} of {most_pairs} pairs, {}, p {}",
        confirmation.pairs,
        change_or_none(confirmation.shift_percent),
        probability(confirmation.p)
    )
}

/// `−5.2 % (−5.9 % to −4.6 %)`.
pub fn paired_shift(shift: &PairedShift) -> String {
    let ends = shift.low_percent.zip(shift.high_percent);
    let ends = ends.map_or_else(String::new, |(low, high)| format!(" ({} to {})", change(low), change(high)));
    format!("{}{ends}", change_or_none(shift.percent))
}

/// What was left out since it follows from something that was judged; one sentence for each such metric.
pub fn followers(judgement: &Judgement) -> Vec<String> {
    let of_one = |together: &[Follower]| {
        let names: Vec<&str> = together.iter().map(|follower| follower.metric.as_str()).collect();
        let lead = &together[0].lead;
        match names[..] {
            [only] => format!("{only} follows from {lead} and is not judged on its own (--metric {only} judges it)"),
            _ => format!("{} follow from {lead} and are not judged on their own (--metric NAME judges one)", names.join(", ")),
        }
    };
    judgement.followers.chunk_by(|one, other| one.lead == other.lead).map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_stay_one_line() {
        let names: Vec<String> = (1..=1000).map(|number| format!("b{number}")).collect();
        assert_eq!(a_few(&names[..5]), "b1, b2, b3, b4, b5");
        assert_eq!(a_few(&names), "b1, b2, b3, b4 and 996 more");
    }

    #[test]
    fn a_point_without_parameters_is_its_benchmark() {
        let name = crate::model::BenchmarkName::new("sort").unwrap();
        assert_eq!(point_name(&name, &Config::empty()), "sort");
        assert_eq!(point_name(&name, &"N=1 M=2".parse().unwrap()), "sort [N=1 M=2]");
    }
}
