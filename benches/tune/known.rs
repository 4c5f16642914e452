//! A space whose times are known, and a search of it.

use std::collections::VecDeque;

use git_ratchet::model::Config;
use git_ratchet::stats::random::SplitMix64;
use git_ratchet::tune::{Dimension, Search, Space, Strategy};

/// After how many measured points the best is looked at …
pub const LOOKS: [usize; 4] = [25, 50, 100, 200];
/// … and after how many seconds.
pub const SECONDS: [u32; 3] = [60, 120, 300];
/// Half a percent on both sides: what two medians of one kernel may differ by.
const NOISE: f64 = 0.01;

/// A space with the seconds of each point.
pub struct Known {
    pub name: String,
    pub space: Space,
    pub seconds: Vec<Option<f64>>,
    /// What compiling and measuring each took, in seconds.
    costs: Vec<f64>,
}

/// The optimum over the best that was found.
#[derive(Default)]
pub struct Found {
    pub by_points: [f64; LOOKS.len()],
    pub by_time: [f64; SECONDS.len()],
}

impl Known {
    /// `points` have a place of each tunable's values, the seconds unless they fail, and what they cost.
    pub fn new(name: &str, values: Vec<Vec<String>>, points: Vec<(Vec<usize>, Option<f64>, f64)>) -> Self {
        let text = |number: usize| format!("T{number}");
        let config = |at: &Vec<usize>| {
            let named = at.iter().enumerate().map(|(number, value)| (text(number), values[number][*value].clone()));
            Config::new(named).unwrap_or_default()
        };
        let configs: Vec<Config> = points.iter().map(|(at, ..)| config(at)).collect();
        let dimensions =
            values.into_iter().enumerate().map(|(number, values)| Dimension { name: text(number), values }).collect();
        Self {
            name: name.to_owned(),
            space: Space::new(dimensions, configs),
            seconds: points.iter().map(|(_, seconds, _)| *seconds).collect(),
            costs: points.iter().map(|(.., cost)| *cost).collect(),
        }
    }

    /// A search that asks for so many points before the first is told.
    pub fn search(&self, strategy: Strategy, ahead: usize, seed: u64) -> Found {
        let optimum = self.seconds.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let mut search = Search::new(&self.space, None, strategy, seed);
        let (mut random, mut waiting, mut found) = (SplitMix64::new(seed), VecDeque::new(), Found::default());
        let (mut told, mut spent) = (0, 0.0);
        while told < LOOKS[LOOKS.len() - 1] {
            while waiting.len() < ahead
                && let Some(point) = search.ask()
            {
                waiting.push_back(point);
            }
            let Some(point) = waiting.pop_front() else { break };
            let noise = 1.0 + NOISE * (random.unit() - 0.5);
            search.tell(point, self.seconds[point].map(|seconds| seconds * noise));
            (told, spent) = (told + 1, spent + self.costs[point]);
            let chosen = search.ranked().first().and_then(|(_, point)| self.seconds[*point]);
            let share = chosen.map_or(0.0, |seconds| optimum / seconds);
            for (found, look) in found.by_points.iter_mut().zip(LOOKS) {
                if told <= look {
                    *found = share;
                }
            }
            for (found, seconds) in found.by_time.iter_mut().zip(SECONDS) {
                if spent <= f64::from(seconds) {
                    *found = share;
                }
            }
        }
        found
    }
}
