//! Error rates of the verdict: of ours, and of the rules that other tools use, on the same series.
//!
//! `cargo bench --bench verdict -- [--seed N] [--series-count N] [--commits N] [--rules WORD]
//! [--regimes A,B,…] [--trials N] [--threads N] [--series FILE]`
//!
//! Without `--series` it simulates testbeds whose noise is known (`world`); with it, it replays labelled histories of a
//! real project (`labelled`). It prints tables in Markdown; docs/results/verdict.md keeps those of a release.

mod family;
mod labelled;
mod ours;
mod peers;
mod rule;
mod simulation;
mod table;
mod world;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line asks for.
struct Options {
    seed: u64,
    /// Simulated series per regime.
    series: u64,
    /// Trials per regime, size of a loss and length of a history.
    trials: u64,
    /// Clean commits per simulated series.
    commits: usize,
    /// Only rules with this in their name.
    rules: String,
    /// Only these regimes; all where none is named.
    regimes: Vec<String>,
    /// How many cores to use.
    threads: usize,
    /// A file of labelled histories.
    labelled: Option<PathBuf>,
}

impl Options {
    /// The rules that were asked for.
    fn rules(&self) -> impl Iterator<Item = (&'static str, rule::Maker)> {
        rule::RULES.into_iter().filter(|(name, _)| name.contains(&self.rules))
    }

    /// The regimes that were asked for.
    fn regimes(&self) -> Vec<world::Regime> {
        let is_asked_for =
            |regime: &world::Regime| self.regimes.is_empty() || self.regimes.iter().any(|name| name == regime.name);
        world::REGIMES.into_iter().filter(is_asked_for).collect()
    }

    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (rules, regimes) = (String::new(), Vec::new());
        let mut options = Self { seed: 1, series: 100, trials: 100, commits: 300, rules, regimes, threads, labelled: None };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value} is not a whole number"));
            match flag.as_str() {
                "--seed" => options.seed = number()?,
                "--series-count" => options.series = number()?,
                "--commits" => options.commits = number()? as usize,
                "--trials" => options.trials = number()?,
                "--threads" => options.threads = number()?.max(1) as usize,
                "--regimes" => options.regimes = value.split(',').map(str::to_owned).collect(),
                "--rules" => options.rules = value,
                "--series" => options.labelled = Some(PathBuf::from(value)),
                _ => {
                    return Err(format!(
                        "{flag} is not known; there are --seed, --series-count, --commits, --rules, --regimes, --trials, \
                         --threads and --series"
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let told = Options::parse(std::env::args().skip(1)).and_then(|options| report(&options, &mut std::io::stdout().lock()));
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "verdict: {message}");
            ExitCode::FAILURE
        }
    }
}

fn report(options: &Options, out: &mut impl Write) -> Result<(), String> {
    let mut say = |text: String| writeln!(out, "{text}").map_err(|error| error.to_string());
    if let Some(file) = &options.labelled {
        return say(labelled::report(file, options)?);
    }
    let Options { seed, series, commits, trials, .. } = options;
    say(format!("Seed {seed}, {series} series of {commits} commits per regime, {trials} trials per cell of power.\n"))?;
    say(simulation::false_alarms(options))?;
    say(simulation::power(options))?;
    say(family::report(options))
}
