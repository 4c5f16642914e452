//! How soon each strategy of `git ratchet tune` finds a fast point: `cargo bench --bench tune`, with `-- --json` as one object
//! for peer.py, which sets the strategies of Kernel Tuner beside them, and with a part of a name only such spaces.
//!
//! On simulated landscapes (landscape.rs), and on spaces of real kernels that others measured whole (recorded.rs), where
//! they lie beside this repository. No kernel runs: a point's time is looked up.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod known;
mod landscape;
mod recorded;

use std::time::Instant;

use git_ratchet::stats;
use git_ratchet::stats::random::SplitMix64;
use git_ratchet::tune::{Search, Strategy};
use known::{Known, LOOKS, SECONDS};
use landscape::Landscape;
use serde_json::json;

const STRATEGIES: [Strategy; 2] = [Strategy::Learn, Strategy::Random];
const LANDSCAPES: u64 = 400;
const SEEDS: u64 = 100;
/// Points that are asked for before the first is told, as by compilers on eight cores …
const AHEAD: usize = 8;
/// … and in how many searches fewer.
const FEWER: usize = 4;

/// What a strategy found on some spaces, of all searches together.
struct Row {
    space: String,
    strategy: String,
    searches: usize,
    by_points: Vec<f64>,
    by_time: Vec<f64>,
}

/// What `of` makes of the results of all searches: by points at each of [`LOOKS`], by time at each of [`SECONDS`].
fn row(space: &str, (strategy, ahead): (Strategy, usize), runs: &[(&Known, u64)], of: fn(&[f64]) -> Option<f64>) -> Row {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let some = |runs: &[(&Known, u64)]| runs.iter().map(|(known, seed)| known.search(strategy, ahead, *seed)).collect::<Vec<_>>();
    let results: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> = runs.chunks(runs.len().div_ceil(threads)).map(|part| scope.spawn(move || some(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    });
    let by_points = (0..LOOKS.len()).map(|place| results.iter().map(|found| found.by_points[place]).collect::<Vec<_>>());
    let by_time = (0..SECONDS.len()).map(|place| results.iter().map(|found| found.by_time[place]).collect::<Vec<_>>());
    Row {
        space: space.to_owned(),
        strategy: if ahead == 1 { strategy.as_str().to_owned() } else { format!("{}, {ahead} ahead", strategy.as_str()) },
        searches: results.len(),
        by_points: by_points.map(|shares| of(&shares).unwrap_or(0.0)).collect(),
        by_time: by_time.map(|shares| of(&shares).unwrap_or(0.0)).collect(),
    }
}

fn rows(space: &str, runs: &[(&Known, u64)], of: fn(&[f64]) -> Option<f64>) -> Vec<Row> {
    let one_by_one = STRATEGIES.into_iter().map(|strategy| row(space, (strategy, 1), runs, of));
    let ahead = || row(space, (Strategy::Learn, AHEAD), &runs[..runs.len() / FEWER], of);
    one_by_one.chain(std::iter::once_with(ahead)).collect()
}

fn table(title: &str, rows: &[Row], with_time: bool) {
    let cells = |shares: &[f64]| shares.iter().map(|share| format!("{share:8.3}")).collect::<String>();
    let looks = LOOKS.map(|look| format!("{look:>8}")).concat();
    let seconds =
        if with_time { SECONDS.map(|seconds| format!("{:>8}", format!("{seconds} s"))).concat() } else { String::new() };
    println!("\n{title}\n{:15}{looks}{seconds}", "strategy");
    for row in rows {
        let by_time = if with_time { cells(&row.by_time) } else { String::new() };
        println!("{:15}{}{by_time}", row.strategy, cells(&row.by_points));
    }
}

/// What an answer takes on the largest space that [`tune`](git_ratchet::tune) is judged on: mean and most, in milliseconds.
fn cost(known: &Known) -> [f64; 2] {
    let mut search = Search::new(&known.space, None, Strategy::Learn, 0);
    let took: Vec<f64> = (0..400)
        .filter_map(|_| {
            let began = Instant::now();
            let point = search.ask()?;
            let took = began.elapsed().as_secs_f64() * 1e3;
            search.tell(point, known.seconds[point]);
            Some(took)
        })
        .collect();
    [stats::mean(&took).unwrap_or(0.0), took.iter().copied().fold(0.0, f64::max)]
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |known: &Known| names.is_empty() || names.iter().any(|name| known.name.contains(name));
    let simulated: Vec<Known> = (0..LANDSCAPES)
        .map(|seed| {
            let mut random = SplitMix64::new(seed);
            let landscape = Landscape::new(&mut || random.unit());
            let values = |size: &usize| (0..*size).map(|value| value.to_string()).collect();
            let times = landscape.points.into_iter().map(|(at, seconds)| (at, seconds, 0.0));
            Known::new("simulated", landscape.sizes.iter().map(values).collect(), times.collect())
        })
        .filter(|known| known.space.len() >= 400 && is_wanted(known))
        .collect();
    let runs: Vec<(&Known, u64)> = simulated.iter().zip(0..).collect();
    let of_simulated = if runs.is_empty() { Vec::new() } else { rows("simulated", &runs, stats::median) };
    let real: Vec<Known> = recorded::spaces().into_iter().filter(is_wanted).collect();
    let of_real: Vec<Vec<Row>> = real
        .iter()
        .map(|known| rows(&known.name, &(0..SEEDS).map(|seed| (known, seed)).collect::<Vec<_>>(), stats::mean))
        .collect();
    let largest = real.iter().max_by_key(|known| known.space.len());
    if std::env::args().any(|argument| argument == "--json") {
        let object = |row: &Row| json!({"space": row.space, "strategy": row.strategy, "seeds": row.searches, "means": row.by_points, "by_time": row.by_time});
        let objects = |rows: &[Row]| rows.iter().map(object).collect::<Vec<_>>();
        let recorded: Vec<_> = of_real.iter().flat_map(|rows| objects(rows)).collect();
        let cost = largest.map(cost);
        println!("{}", json!({"recorded": recorded, "simulated": objects(&of_simulated), "ask_milliseconds": cost}));
        return;
    }
    println!("The optimum's time over that of the best point found, after so many measured points, and by so many seconds of");
    println!("compiling and measuring where that was recorded.");
    table(&format!("Simulated landscapes of 400 points and more, median of {}", runs.len()), &of_simulated, false);
    if real.is_empty() {
        println!("\nSKIPPED: there are no recorded spaces at {}", recorded::FOLDER);
    }
    for (known, rows) in real.iter().zip(&of_real) {
        table(&format!("{}: {} points, recorded; mean of {SEEDS} seeds", known.name, known.space.len()), rows, true);
    }
    if let Some((known, [mean, most])) = largest.map(|known| (known, cost(known))) {
        println!("\nAn answer of learn, {} points, 400 told: {mean:.1} ms, at most {most:.1} ms", known.space.len());
    }
}
