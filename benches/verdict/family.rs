//! Many series in one check: how often a clean commit is failed by any of hundreds of them.

use super::Options;
use super::ours::Level;
use super::rule::Rule;
use super::table::{Table, parallel, percent};
use super::world::{REGIMES, World};

const SERIES: usize = 500;
const CHECKS: u64 = 10;
const PRIOR_RUNS: usize = 40;

/// A check of many series, judged one by one and as a family.
pub fn report(options: &Options) -> String {
    let seed = options.seed;
    let title = format!(
        "{CHECKS} checks of {SERIES} series with {PRIOR_RUNS} prior runs each, history alone: clean checks that fail, \
         percent / power at 5 % / at 10 %"
    );
    let noisy = REGIMES.iter().filter(|regime| ["A", "B", "C", "D", "H"].contains(&regime.name));
    let mut table = Table::new(&title, "judged as", noisy.clone().map(|regime| regime.name));
    for (name, family) in [("series of their own", 1), ("a family", SERIES)] {
        let of_check = |regime, check: u64| -> [usize; 3] {
            let losses = [0.0, 0.05_f64, 0.10].map(f64::ln_1p);
            let mut alarms = [0; 3];
            for series in 0..SERIES as u64 {
                let mut world = World::new(regime, seed ^ ((check + 1) << 32) ^ (series << 8));
                let mut rule = Level::among(family);
                (0..PRIOR_RUNS).for_each(|_| rule.record(&[world.commit(0.0)]));
                let run = world.commit(0.0);
                for (alarms, loss) in alarms.iter_mut().zip(losses) {
                    *alarms += usize::from(rule.judge(&[run + loss], None).alarm);
                }
            }
            alarms
        };
        let cell = |regime: &super::world::Regime| {
            let checks = parallel(options.threads, CHECKS, |check| of_check(*regime, check));
            let failed = checks.iter().filter(|alarms| alarms[0] > 0).count() as u64;
            let caught = |loss: usize| checks.iter().map(|alarms| alarms[loss] as u64).sum();
            let power = |loss| percent(caught(loss), CHECKS * SERIES as u64);
            format!("{} / {} / {}", percent(failed, CHECKS), power(1), power(2))
        };
        table.row(name, noisy.clone().map(cell));
    }
    table.to_string()
}
