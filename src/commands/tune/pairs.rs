//! The comparison that a claim rests on: the best few points against the default, measured in turn in random order.

use std::time::Duration;

use super::session::Session;
use crate::cuda::{Execution, KernelExecutor, KernelPoint};
use crate::harness::{self, Clock, Contest, Executor, Executors, MeasuredPair, Next, run_pairs};
use crate::judge::compare_pairs;
use crate::model::{Config, Direction};
use crate::report::tuning::Finalist;
use crate::tune::{Evidence, gain};

/// Pairs of one finalist at one config.
const PAIRS: usize = 16;
/// The metric that is compared: a kernel's first is its time.
const TIME: usize = 0;

/// Holds points against the default until the budget is over; the ones with the largest proven gain come first.
pub(super) fn finals(session: &Session<'_>, points: &[(usize, Config)]) -> Vec<Finalist> {
    let configs = session.target.configs().len();
    let default = compiled(session, session.default);
    let of_points: Vec<_> = points.iter().map(|(_, tunables)| compiled(session, tunables)).collect();
    let finalist = |place: usize| Finalist { point: place, evidence: Vec::new(), failure: None, gain_percent: None };
    let mut finalists: Vec<Finalist> = points.iter().map(|(place, _)| finalist(*place)).collect();
    let mut turns_left = (points.len() * configs) as u32;
    for config in 0..configs {
        // The default stays ready for all of its opponents.
        let mut of_default = session.gpu.executor(Execution::Batch);
        for (finalist, candidate) in finalists.iter_mut().zip(&of_points) {
            let now = session.clock.now();
            let until = now + session.budget.saturating_sub(now) / turns_left.max(1);
            turns_left = turns_left.saturating_sub(1);
            if finalist.failure.is_none() {
                let sides = side(&default, config).and_then(|default| Ok((default, side(candidate, config)?)));
                match sides.and_then(|sides| duel(session, sides, &mut of_default, until)) {
                    Ok(evidence) => finalist.evidence.push(evidence),
                    Err(why) => finalist.failure = Some(why),
                }
            }
        }
    }
    let count = finalists.len();
    for finalist in finalists.iter_mut().filter(|finalist| finalist.failure.is_none()) {
        finalist.gain_percent = gain(&finalist.evidence, count);
    }
    finalists.sort_by(|one, other| other.gain_percent.unwrap_or(0.0).total_cmp(&one.gain_percent.unwrap_or(0.0)));
    finalists
}

/// The kernel with these tunables at each config. It was compiled before, so its code is at hand.
fn compiled(session: &Session<'_>, tunables: &Config) -> Result<Vec<KernelPoint>, String> {
    session.gpu.ready(&session.target.with(tunables), &|_| session.timeout).into_iter().collect()
}

/// A kernel at one of its configs.
fn side(compiled: &Result<Vec<KernelPoint>, String>, config: usize) -> Result<&KernelPoint, String> {
    let points = compiled.as_ref().map_err(Clone::clone)?;
    points.get(config).ok_or_else(|| "it was not compiled".to_owned())
}

fn duel(
    session: &Session<'_>,
    (default, candidate): (&KernelPoint, &KernelPoint),
    of_default: &mut KernelExecutor,
    until: Duration,
) -> Result<Evidence, String> {
    let is_over = || session.clock.now() >= until || session.interrupt.is_requested();
    if session.interrupt.is_requested() {
        return Err("interrupted".to_owned());
    }
    let left = until.saturating_sub(session.clock.now());
    // Readied and verified in this time, like any point.
    let limited = |kernel: &KernelPoint| KernelPoint { timeout: kernel.timeout.min(left / 4), ..kernel.clone() };
    let (default, candidate) = (limited(default), limited(candidate));
    let mut of_candidate = session.gpu.executor(Execution::Batch);
    let prepared = harness::ready(&candidate, &mut of_candidate).map_err(|failure| failure.error.to_string())?;
    if let Some(fault) = prepared.barred {
        return Err(fault);
    }
    let references = std::slice::from_ref(&default);
    let contest = Contest { references, candidate: &candidate, metrics: &prepared.metrics, seed: session.seed };
    let executors = Executors { reference: of_default, candidate: &mut of_candidate };
    let mut next = |pairs: &[MeasuredPair]| if pairs.len() >= PAIRS || is_over() { Next::Stop } else { Next::Measure };
    let run = run_pairs(contest, executors, session.clock, &mut next);
    if let Some(failure) = run.failure {
        return Err(failure.error.to_string());
    }
    if let Some(fault) = of_candidate.verify().map_err(|error| error.to_string())? {
        return Err(fault);
    }
    let both = run.pairs.iter().filter_map(|pair| Some((pair.reference.median(TIME)?, pair.candidate.median(TIME)?)));
    let (before, after): (Vec<f64>, Vec<f64>) = both.unzip();
    let compared = compare_pairs(Direction::Lower, &before, &after).ok_or("no pair was measured")?;
    Ok(Evidence {
        change_percent: compared.change_percent.ok_or("the times cannot be compared")?,
        low_percent: compared.low_percent,
        high_percent: compared.high_percent,
        p: compared.p,
        pairs: before.len(),
    })
}
