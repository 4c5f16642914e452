//! What every rule is asked: is this commit slower than it may be?

use super::world::World;

/// The threshold of all rules that have one: 3 % more time, on the log scale.
pub const THRESHOLD: f64 = 0.029_558_802_241_544_4;

/// What a rule says of a commit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// Whether it fails the commit.
    pub alarm: bool,
    /// Whether it had the commit measured again, and still cannot tell.
    pub undecided: bool,
    /// Runs that it had measured besides the commit's own.
    pub extra_runs: usize,
}

impl Outcome {
    /// An answer from the history alone.
    pub fn free(alarm: bool) -> Self {
        Self { alarm, ..Self::default() }
    }
}

/// A rule with the history it has seen.
pub trait Rule {
    /// Judges a commit by its runs, logarithms of times. Where there is a world, it may measure more.
    fn judge(&self, runs: &[f64], world: Option<&mut World>) -> Outcome;

    /// Takes a commit into the history, whatever was said of it.
    fn record(&mut self, runs: &[f64]);
}

/// Makes a rule with an empty history.
pub type Maker = fn() -> Box<dyn Rule>;

/// Every rule under its name.
pub const RULES: [(&str, Maker); 8] = [
    ("level, history only", || Box::new(super::ours::Level::default())),
    ("level + paired confirm", || Box::new(super::ours::Level::confirming())),
    ("best ever −3 %", || Box::new(super::peers::BestEver::default())),
    ("previous commit −3 %", || Box::new(super::peers::Previous::default())),
    ("git-perf (4 sd of 40)", || Box::new(super::peers::GitPerf::default())),
    ("Bencher (t limit 0.99)", || Box::new(super::peers::Bencher::default())),
    ("rustc-perf (Q3 + 3 IQR)", || Box::new(super::peers::RustcPerf::default())),
    ("Conbench (z > 5)", || Box::new(super::peers::Conbench::default())),
];
