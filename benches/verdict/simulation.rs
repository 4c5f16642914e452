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
    let title = "Undecided after a confirmation, per 1,000 clean commits (upper bound)";
    let mut undecided = Table::new(title, "rule", names());
    for (name, make) in options.rules() {
        let outcomes: Vec<_> = regimes.iter().map(|regime| clean(options, regime, make)).collect();
        alarms.row(name, outcomes.iter().map(|clean| count(clean.alarms, clean.judged)));
        if outcomes.iter().any(|clean| clean.extra_runs > 0) {
            extra.row(name, outcomes.iter().map(|clean| format!("{:.2}", clean.extra_runs as f64 / clean.judged as f64)));
            undecided.row(name, outcomes.iter().map(|clean| count(clean.undecided, clean.judged)));
        }
    }
    format!("{alarms}\n{extra}\n{undecided}")
}

/// What became of clean commits.
#[derive(Default)]
struct Clean {
    judged: u64,
    alarms: u64,
    undecided: u64,
    extra_runs: u64,
}

impl Clean {
    fn and(self, other: Self) -> Self {
        Self {
            judged: self.judged + other.judged,
            alarms: self.alarms + other.alarms,
            undecided: self.undecided + other.undecided,
            extra_runs: self.extra_runs + other.extra_runs,
        }
    }
}

fn clean(options: &Options, regime: &Regime, make: Maker) -> Clean {
    let &Options { seed, series, commits, threads, .. } = options;
    let of_series = |index| {
        let mut world = World::new(*regime, seed_of(seed, regime, index));
        let mut rule = make();
        let mut sums = Clean::default();
        for _ in 0..commits {
            let run = world.commit(0.0);
            let outcome = rule.judge(&[run], Some(&mut world));
            sums.judged += 1;
            sums.alarms += u64::from(outcome.alarm);
            sums.undecided += u64::from(outcome.undecided);
            sums.extra_runs += outcome.extra_runs as u64;
            rule.record(&[run]);
        }
        sums
    };
    parallel(threads, series, of_series).into_iter().fold(Clean::default(), Clean::and)
}

/// How often the offending commit itself is caught, by size of the loss and length of the history.
pub fn power(options: &Options) -> String {
    let regimes = options.regimes();
    let titled =
        |loss: f64| format!("Power at a loss of {:.0} %, after 1 / 2 / 5 / 50 / 200 prior runs, in percent", 100.0 * loss);
    let mut text = String::new();
    for loss in LOSSES {
        let mut table = Table::new(&titled(loss), "rule", regimes.iter().map(|regime| regime.name));
        let mut rules: Vec<(&str, Maker)> = options.rules().collect();
        if loss == 0.03 {
            rules.push(("level + confirm, threshold 2 %", || Box::new(Level::confirming().with_threshold(2.0))));
        }
        for (name, make) in rules {
            let found: Vec<Found> = regimes.iter().map(|regime| caught_after_each(options, regime, make, loss)).collect();
            table.row(name, found.iter().map(|found| found.caught.join(" / ")));
            if found.iter().any(|found| found.undecided.iter().any(|share| share != "0")) {
                table.row(&format!("{name}: undecided"), found.iter().map(|found| found.undecided.join(" / ")));
            }
        }
        text += &format!("{table}\n");
    }
    text
}

/// Shares of the offending commits in percent, one for each length of the history.
struct Found {
    caught: Vec<String>,
    undecided: Vec<String>,
}

fn caught_after_each(options: &Options, regime: &Regime, make: Maker, loss: f64) -> Found {
    let &Options { seed, trials, threads, .. } = options;
    let caught = |prior| {
        let world = |trial| World::new(*regime, seed_of(!seed, regime, trial));
        let outcomes = parallel(threads, trials, |trial| caught(world(trial), make(), prior, loss));
        let share = |is: fn(&Outcome) -> bool| percent(outcomes.iter().filter(|outcome| is(outcome)).count() as u64, trials);
        (share(|outcome| outcome.alarm), share(|outcome| outcome.undecided))
    };
    let (caught, undecided) = PRIOR_RUNS.map(caught).into_iter().unzip();
    Found { caught, undecided }
}

fn caught(mut world: World, mut rule: Box<dyn Rule>, prior: usize, loss: f64) -> Outcome {
    for _ in 0..prior {
        rule.record(&[world.commit(0.0)]);
    }
    let run = world.commit(loss.ln_1p());
    rule.judge(&[run], Some(&mut world))
}
