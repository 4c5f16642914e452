//! How soon each strategy of `git ratchet tune` finds a fast point: `cargo bench --bench tune`.
//!
//! On simulated landscapes (landscape.rs), and on spaces of real kernels that others measured whole (recorded.rs), where
//! they lie beside this repository. No kernel runs: a point's time is looked up.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod landscape;
mod recorded;

use git_ratchet::model::Config;
use git_ratchet::stats;
use git_ratchet::stats::random::SplitMix64;
use git_ratchet::tune::{Dimension, Search, Space, Strategy};
use landscape::Landscape;

const STRATEGIES: [Strategy; 3] = [Strategy::Breed, Strategy::Climb, Strategy::Random];
/// After how many measured points the best is looked at.
const LOOKS: [usize; 4] = [25, 50, 100, 200];
const LANDSCAPES: u64 = 400;
const SEEDS: u64 = 100;
/// Half a percent on both sides: what two medians of one kernel may differ by.
const NOISE: f64 = 0.01;

/// A space with the seconds of each point.
pub struct Known {
    name: String,
    space: Space,
    seconds: Vec<Option<f64>>,
}

impl Known {
    /// `points` have a place of each dimension, and the seconds unless they fail.
    pub fn new(name: &str, sizes: &[usize], points: Vec<(Vec<usize>, Option<f64>)>) -> Self {
        let text = |number: usize| format!("T{number}");
        let values = |size: &usize| (0..*size).map(|value| value.to_string()).collect();
        let dimensions = sizes.iter().enumerate().map(|(number, size)| Dimension { name: text(number), values: values(size) });
        let config = |at: &Vec<usize>| {
            let named = at.iter().enumerate().map(|(number, value)| (text(number), value.to_string()));
            Config::new(named).unwrap_or_default()
        };
        let space = Space::new(dimensions.collect(), points.iter().map(|(at, _)| config(at)));
        Self { name: name.to_owned(), space, seconds: points.into_iter().map(|(_, seconds)| seconds).collect() }
    }

    /// The optimum over the best that was found, at each of [`LOOKS`].
    fn search(&self, strategy: Strategy, seed: u64) -> [f64; LOOKS.len()] {
        let optimum = self.seconds.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let mut search = Search::new(&self.space, None, strategy, seed);
        let mut random = SplitMix64::new(seed);
        let mut asked = 0;
        LOOKS.map(|look| {
            while asked < look
                && let Some(point) = search.ask()
            {
                let noise = 1.0 + NOISE * (random.unit() - 0.5);
                search.tell(point, self.seconds[point].map(|seconds| seconds * noise));
                asked += 1;
            }
            let chosen = search.ranked().first().and_then(|(_, point)| self.seconds[*point]);
            chosen.map_or(0.0, |seconds| optimum / seconds)
        })
    }
}

/// A row for each strategy: what `of` makes of the results of all searches at each look.
fn table(title: &str, runs: &[(&Known, u64)], of: fn(&[f64]) -> Option<f64>) {
    println!("\n{title}\n{:9}{}", "strategy", LOOKS.map(|look| format!("{look:>8}")).concat());
    for strategy in STRATEGIES {
        let results: Vec<[f64; LOOKS.len()]> = runs.iter().map(|(known, seed)| known.search(strategy, *seed)).collect();
        let at = |place: usize| of(&results.iter().map(|result| result[place]).collect::<Vec<_>>()).unwrap_or(0.0);
        println!("{:9}{}", strategy.as_str(), [0, 1, 2, 3].map(|place| format!("{:8.3}", at(place))).concat());
    }
}

fn main() {
    println!("The optimum's time over that of the best point found, after so many measured points.");
    let simulated: Vec<Known> = (0..LANDSCAPES)
        .map(|seed| {
            let mut random = SplitMix64::new(seed);
            let landscape = Landscape::new(&mut || random.unit());
            Known::new("simulated", &landscape.sizes, landscape.points)
        })
        .filter(|known| known.space.len() >= 400)
        .collect();
    let runs: Vec<(&Known, u64)> = simulated.iter().zip(0..).collect();
    table(&format!("Simulated landscapes of 400 points and more, median of {}", runs.len()), &runs, stats::median);
    let real = recorded::spaces();
    if real.is_empty() {
        println!("\nSKIPPED: there are no recorded spaces at {}", recorded::FOLDER);
    }
    for known in &real {
        let runs: Vec<(&Known, u64)> = (0..SEEDS).map(|seed| (known, seed)).collect();
        table(&format!("{}: {} points, recorded; mean of {SEEDS} seeds", known.name, known.space.len()), &runs, stats::mean);
    }
}
