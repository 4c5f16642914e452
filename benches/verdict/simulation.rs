//! False alarms on clean commits, and power on the commit that loses.

use super::Options;
use super::ours::Level;
use super::rule::{Maker, Outcome, Rule};
use super::table::{Table, count, parallel, percent};
use super::world::{Regime, World};

const LOSSES: [f64; 3] = [0.03, 0.05, 0.10];
const PRIOR_RUNS: [usize; 5] = [1, 2, 5, 50, 200];

/// A seed of its own for every simulated series.
fn seed_of(seed: u64, regime: &Regime, series: u64) -> u64 {
    let letters = regime.name.bytes().fold(0u64, |sum, byte| sum * 31 + u64::from(byte));
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (letters << 40) ^ series
}

/// Alarms per 1,000 clean commits and extra runs per commit; a commit that raised alarm becomes part of the history.
pub fn false_alarms(options: &Options) -> String {
    let regimes = options.regimes();
    let names = || regimes.iter().map(|regime| regime.name);
    let title = "False alarms per 1,000 clean commits (in brackets the upper 95 % Clopper-Pearson bound)";
    let mut alarms = Table::new(title, "rule", names());
    let mut extra = Table::new("Extra runs per clean commit", "rule", names());
    for (name, make) in options.rules() {
        let outcomes: Vec<_> = regimes.iter().map(|regime| clean(options, regime, make)).collect();
        alarms.row(name, outcomes.iter().map(|(alarms, judged, _)| count(*alarms, *judged)));
        if outcomes.iter().any(|(_, _, extra)| *extra > 0) {
            extra.row(name, outcomes.iter().map(|(_, judged, extra)| format!("{:.2}", *extra as f64 / *judged as f64)));
        }
    }
    format!("{alarms}\n{extra}")
}

/// Alarms, commits judged, extra runs.
fn clean(options: &Options, regime: &Regime, make: Maker) -> (u64, u64, u64) {
    let &Options { seed, series, commits, threads, .. } = options;
    let of_series = |index| {
        let mut world = World::new(*regime, seed_of(seed, regime, index));
        let mut rule = make();
        let mut sums = (0, 0, 0);
        for _ in 0..commits {
            let run = world.commit(0.0);
            let outcome = rule.judge(&[run], Some(&mut world));
            sums = (sums.0 + u64::from(outcome.alarm), sums.1 + 1, sums.2 + outcome.extra_runs as u64);
            rule.record(&[run]);
        }
        sums
    };
    parallel(threads, series, of_series).into_iter().fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
}

/// How often the offending commit itself is caught, by size of the loss and length of the history.
pub fn power(options: &Options) -> String {
    let regimes = options.regimes();
    let titled =
        |loss: f64| format!("Power at a loss of {:.0} %, after 1 / 2 / 5 / 50 / 200 prior runs, in percent", 100.0 * loss);
    let mut text = String::new();
    for loss in LOSSES {
        let mut table = Table::new(&titled(loss), "rule", regimes.iter().map(|regime| regime.name));
        for (name, make) in options.rules() {
            table.row(name, regimes.iter().map(|regime| caught_after_each(options, regime, make, loss)));
        }
        if loss == 0.03 {
            let make: Maker = || Box::new(Level::confirming().with_threshold(2.0));
            let caught = regimes.iter().map(|regime| caught_after_each(options, regime, make, loss));
            table.row("level + confirm, threshold 2 %", caught);
        }
        text += &format!("{table}\n");
    }
    text
}

fn caught_after_each(options: &Options, regime: &Regime, make: Maker, loss: f64) -> String {
    let &Options { seed, trials, threads, .. } = options;
    let caught = |prior| {
        let world = |trial| World::new(*regime, seed_of(!seed, regime, trial));
        let outcomes = parallel(threads, trials, |trial| caught(world(trial), make(), prior, loss));
        percent(outcomes.iter().filter(|outcome| outcome.alarm).count() as u64, trials)
    };
    PRIOR_RUNS.map(caught).join(" / ")
}

fn caught(mut world: World, mut rule: Box<dyn Rule>, prior: usize, loss: f64) -> Outcome {
    for _ in 0..prior {
        rule.record(&[world.commit(0.0)]);
    }
    let run = world.commit(loss.ln_1p());
    rule.judge(&[run], Some(&mut world))
}
