//! The comparison that a claim rests on: the best few points against the default, measured in turn in random order.

use std::time::Duration;

use super::session::Session;
use crate::cuda::{Execution, KernelPoint};
use crate::harness::{Clock, Contest, Executor, Executors, MeasuredPair, Next, run_pairs};
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
    let default = compiled(session, session.default);
    let configs = session.target.configs().len();
    let mut turns_left = (points.len() * configs) as u32;
    let mut finalists = Vec::new();
    for (place, tunables) in points {
        let mut finalist = Finalist { point: *place, evidence: Vec::new(), failure: None, gain_percent: None };
        if session.interrupt.is_requested() {
            finalist.failure = Some("interrupted".to_owned());
            finalists.push(finalist);
            continue;
        }
        let sides = default.as_ref().map_err(Clone::clone).and_then(|default| Ok((default, compiled(session, tunables)?)));
        match sides {
            Err(why) => finalist.failure = Some(why),
            Ok((default, candidate)) => {
                for (default, candidate) in default.iter().zip(&candidate) {
                    let now = session.clock.now();
                    let until = now + session.budget.saturating_sub(now) / turns_left.max(1);
                    turns_left = turns_left.saturating_sub(1);
                    match duel(session, (default, candidate), until) {
                        Ok(evidence) => finalist.evidence.push(evidence),
                        Err(why) => finalist.failure = Some(why),
                    }
                }
            }
        }
        finalists.push(finalist);
    }
    let count = finalists.len();
    for finalist in finalists.iter_mut().filter(|finalist| finalist.failure.is_none() && finalist.evidence.len() == configs) {
        finalist.gain_percent = gain(&finalist.evidence, count);
    }
    finalists.sort_by(|one, other| other.gain_percent.unwrap_or(0.0).total_cmp(&one.gain_percent.unwrap_or(0.0)));
    finalists
}

/// The kernel with these tunables at each config. It was compiled before, so its code is at hand.
fn compiled(session: &Session<'_>, tunables: &Config) -> Result<Vec<KernelPoint>, String> {
    session.gpu.ready(&session.target.with(tunables), &|_| session.timeout).into_iter().collect()
}

fn duel(session: &Session<'_>, (default, candidate): (&KernelPoint, &KernelPoint), until: Duration) -> Result<Evidence, String> {
    let left = until.saturating_sub(session.clock.now());
    // Readied and verified in this time, like any point.
    let limited = |kernel: &KernelPoint| KernelPoint { timeout: kernel.timeout.min(left / 4), ..kernel.clone() };
    let (default, candidate) = (limited(default), limited(candidate));
    let (mut of_default, mut of_candidate) = (session.gpu.executor(Execution::Batch), session.gpu.executor(Execution::Batch));
    let contest = Contest { references: std::slice::from_ref(&default), candidate: &candidate, seed: session.seed };
    let executors = Executors { reference: &mut of_default, candidate: &mut of_candidate };
    let is_over = || session.clock.now() >= until || session.interrupt.is_requested();
    let mut next = |pairs: &[MeasuredPair]| if pairs.len() >= PAIRS || is_over() { Next::Stop } else { Next::Measure };
    let run = run_pairs(contest, executors, session.clock, &mut next);
    if let Some(failure) = run.failure {
        return Err(failure.error.to_string());
    }
    for executor in [&mut of_default, &mut of_candidate] {
        if let Some(fault) = executor.verify().map_err(|error| error.to_string())? {
            return Err(fault);
        }
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
