//! Simulated testbeds: regimes of noise, and commits that are measured in them, once or again.

use git_ratchet::stats::random::SplitMix64;

/// How a testbed scatters. Standard deviations are of logarithms: 0.01 is 1 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regime {
    /// Its letter in STATISTICS.
    pub name: &'static str,
    /// Between runs, all sources together, outliers and modes apart.
    sigma: f64,
    /// The share of the variance that all runs of one session have in common.
    session_share: f64,
    /// The share of the variance that sticks to a commit's binary.
    binary_share: f64,
    /// Student's t with 3 degrees of freedom in place of normal noise, and one run in 50 slower by 5 to 30 %.
    heavy: bool,
    /// One run in five happens at a clock slower by 2.5 %.
    bimodal: bool,
    /// The testbed itself becomes slower and faster by 1.5 % over 200 commits.
    drifting: bool,
    /// By how much runs scatter while a commit is measured again: something else keeps the computer busy.
    busy: Option<f64>,
}

const QUIET: Regime = Regime {
    name: "A",
    sigma: 0.005,
    session_share: 0.0,
    binary_share: 0.0,
    heavy: false,
    bimodal: false,
    drifting: false,
    busy: None,
};

/// All of them.
pub const REGIMES: [Regime; 12] = [
    QUIET,
    Regime { name: "B", sigma: 0.01, ..QUIET },
    Regime { name: "B9", sigma: 0.01, session_share: 0.9, ..QUIET },
    Regime { name: "C", sigma: 0.02, ..QUIET },
    Regime { name: "D", sigma: 0.03, ..QUIET },
    Regime { name: "E", sigma: 0.01, heavy: true, ..QUIET },
    Regime { name: "F", bimodal: true, ..QUIET },
    Regime { name: "G", sigma: 0.008, drifting: true, ..QUIET },
    Regime { name: "H", sigma: 0.01, binary_share: 0.5, ..QUIET },
    Regime { name: "J5", sigma: 0.01, busy: Some(0.05), ..QUIET },
    Regime { name: "J10", sigma: 0.01, busy: Some(0.10), ..QUIET },
    Regime { name: "K", sigma: 0.10, ..QUIET },
];

/// A commit: what is true of it, and what its binary has by luck.
#[derive(Debug, Clone, Copy)]
struct Commit {
    loss: f64,
    binary: f64,
}

/// A testbed with a growing history of commits. Equal seeds give equal worlds.
pub struct World {
    regime: Regime,
    random: SplitMix64,
    commits: Vec<Commit>,
    /// The standard deviation of single runs now.
    sigma: f64,
}

impl World {
    /// A testbed without commits.
    pub fn new(regime: Regime, seed: u64) -> Self {
        Self { regime, random: SplitMix64::new(seed), commits: Vec::new(), sigma: regime.sigma }
    }

    /// Makes a commit that is slower by `loss` than the beginning, and measures it once in a session of its own.
    pub fn commit(&mut self, loss: f64) -> f64 {
        let binary = self.normal() * self.regime.sigma * self.regime.binary_share.sqrt();
        self.commits.push(Commit { loss, binary });
        self.sigma = self.regime.sigma;
        let session = self.session();
        self.run(self.commits.len() - 1, session)
    }

    /// What all runs of one new session have in common.
    pub fn session(&mut self) -> f64 {
        let turn = self.commits.len() as f64 / 200.0 * std::f64::consts::TAU;
        let drift = if self.regime.drifting { 0.015 * turn.sin() } else { 0.0 };
        drift + self.normal() * self.regime.sigma * self.regime.session_share.sqrt()
    }

    /// A new session, in which commits are measured again.
    pub fn confirmation(&mut self) -> f64 {
        self.sigma = self.regime.busy.unwrap_or(self.regime.sigma);
        self.session()
    }

    /// One more run of a commit within a session: the logarithm of its time.
    pub fn run(&mut self, commit: usize, session: f64) -> f64 {
        let Commit { loss, binary } = self.commits[commit];
        let own = self.sigma * (1.0 - self.regime.session_share - self.regime.binary_share).sqrt();
        loss + binary + session + own * self.noise() + self.interference()
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    fn interference(&mut self) -> f64 {
        let slow_clock = self.regime.bimodal && self.random.unit() < 0.2;
        let outlier = self.regime.heavy && self.random.unit() < 0.02;
        let slower = if outlier { (1.05 + 0.25 * self.random.unit()).ln() } else { 0.0 };
        slower + if slow_clock { 1.025_f64.ln() } else { 0.0 }
    }

    fn noise(&mut self) -> f64 {
        if !self.regime.heavy {
            return self.normal();
        }
        let chi_squared: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        // Of variance 3, scaled to 1.
        self.normal() / (chi_squared / 3.0).sqrt() / 3.0_f64.sqrt()
    }

    /// Box and Muller's normal value.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.random.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.random.unit()).cos()
    }
}
