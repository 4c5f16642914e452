//! From a search to what is shown: who is held against the default, what is suggested, and the change that it means.

use similar::TextDiff;

use super::pairs;
use super::session::{Searched, Session};
use super::target::Target;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::workspace::Workspace;
use crate::cuda::{self, Arch};
use crate::model::Config;
use crate::report::Notice;
use crate::report::tuning::{Ended, Finalist, Outcome, Source, Time, TunedPoint, Tuning};
use crate::tune::finalists;

/// Lines around a change, as git has them.
const CONTEXT_LINES: usize = 3;

/// Holds the best points against the default, and makes the result.
pub(super) fn of(
    session: &Session<'_>,
    searched: Searched,
    (testbed, workspace): (&str, &Workspace),
    mut notices: Vec<Notice>,
    context: &mut Context,
) -> Result<Tuning, CommandError> {
    let Searched { mut points, ended } = searched;
    let score = |point: &TunedPoint| point.score.unwrap_or(f64::INFINITY);
    points.sort_by(|one, other| score(one).total_cmp(&score(other)));
    let ranked = ranked(&points);
    let default = points.iter().position(|point| point.is_default && point.score.is_some());
    let mut finals: Vec<Finalist> = Vec::new();
    if default.is_some() && ended != Ended::Interrupted {
        let of_points = finalists(&ranked, default).into_iter().map(|place| (place, points[place].tunables.clone()));
        let of_points: Vec<(usize, Config)> = of_points.collect();
        if !of_points.is_empty() {
            writeln!(context.err, "measuring the best {} in turn with the default", of_points.len())?;
        }
        finals = pairs::finals(session, &of_points);
    }
    let gained = finals.first().filter(|finalist| finalist.gain_percent.is_some());
    let fastest = ranked.first().filter(|_| default.is_none() && ended != Ended::Interrupted).map(|(_, place)| *place);
    let suggestion = gained.map(|finalist| finalist.point).or(fastest);
    let arch = session.gpu.arch(session.target.manifest());
    let mut diff = None;
    if let Some(point) = suggestion.and_then(|place| points.get(place)) {
        diff = diff_of(session.target, arch, &point.tunables, workspace)?;
        notices.extend(overridden(session.target, &point.tunables));
    }
    let interrupted = session.interrupt.is_requested();
    Ok(Tuning {
        benchmark: session.target.benchmark.to_string(),
        manifest: session.target.manifest().path().to_owned(),
        arch: arch.to_string(),
        testbed: testbed.to_owned(),
        configs: session.target.configs(),
        combinations: session.space.combinations(),
        valid: session.space.len(),
        default_is_outside: session.space.find(session.default).is_none(),
        strategy: session.strategy.as_str(),
        seed: session.seed,
        budget_seconds: session.budget.as_secs_f64(),
        spent_seconds: crate::harness::Clock::now(session.clock).as_secs_f64(),
        ended: if interrupted { Ended::Interrupted } else { ended },
        gain_percent: gained.and_then(|finalist| finalist.gain_percent),
        points,
        finalists: finals,
        suggestion,
        diff,
        notices,
    })
}

/// The scores and places of points. One that is the same code as another at every config would be held against the default in
/// another's stead for nothing.
fn ranked(points: &[TunedPoint]) -> Vec<(f64, usize)> {
    let is_same_code = |outcome: &Outcome| matches!(outcome, Outcome::Timed(Time { source: Source::SameCode, .. }));
    let is_twin = |point: &TunedPoint| point.outcomes.iter().all(is_same_code);
    let scored = points.iter().enumerate().filter(|(_, point)| point.is_default || !is_twin(point));
    scored.filter_map(|(place, point)| Some((point.score?, place))).collect()
}

/// The change of the manifest that makes these tunables its defaults; `None` where it changes nothing.
fn diff_of(target: &Target, arch: Arch, tunables: &Config, workspace: &Workspace) -> Result<Option<String>, CommandError> {
    let path = target.manifest().path();
    let Some(root) = workspace.store.work_dir() else { return Ok(None) };
    let read = cuda::work_tree(root)(path);
    let text = read.map_err(|error| CommandError::failure(format!("cannot read {path}: {error}")))?;
    let text = String::from_utf8_lossy(&text);
    let Some(changed) = target.manifest().with_defaults(&text, arch, tunables) else { return Ok(None) };
    let diff = TextDiff::from_lines(text.as_ref(), changed.as_str());
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(CONTEXT_LINES).header(&format!("a/{path}"), &format!("b/{path}")).to_string();
    Ok(Some(unified).filter(|unified| !unified.is_empty()))
}

/// What ratchet.toml sets wins over the manifest.
fn overridden(target: &Target, tunables: &Config) -> Option<Notice> {
    let of_settings = target.of_settings();
    let differs = |(name, value): &(&str, &str)| tunables.get(name) != Some(*value);
    let names: Vec<String> = of_settings.iter().filter(differs).map(|(name, value)| format!("{name} = {value}")).collect();
    let message = format!("ratchet.toml sets {} for {}, which wins over the manifest", names.join(", "), target.benchmark);
    (!names.is_empty()).then(|| Notice::new("overridden_tunables", message).hint("change or remove that in ratchet.toml, too"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, seconds: f64, sources: &[Source]) -> TunedPoint {
        let timed = |source: &Source| Outcome::Timed(Time { median: seconds, low: None, high: None, n: 72, source: *source });
        TunedPoint {
            tunables: format!("T={name}").parse().unwrap(),
            is_default: name == "default",
            score: Some(seconds),
            outcomes: sources.iter().map(timed).collect(),
            code: None,
        }
    }

    /// Three places in the comparison are for three kernels.
    #[test]
    fn one_kernel_takes_one_place_among_the_best() {
        use Source::{Kept, Measured, SameCode};
        let points = [
            point("a", 1.0, &[Measured, Measured]),
            point("b", 1.0, &[SameCode, SameCode]),
            point("c", 2.0, &[SameCode, Measured]),
            point("d", 3.0, &[Kept, Kept]),
            point("default", 4.0, &[SameCode, SameCode]),
        ];
        assert_eq!(ranked(&points), [(1.0, 0), (2.0, 2), (3.0, 3), (4.0, 4)]);
    }
}
