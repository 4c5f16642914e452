//! Error rates of the verdict: of ours, and of the rules that other tools use, on the same series.
//!
//! `cargo bench --bench verdict -- [--seed N] [--series-count N] [--commits N] [--rules WORD] [--series FILE]`
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
    /// Simulated series per regime; as many trials per size of a loss and length of a history.
    series: u64,
    /// Clean commits per simulated series.
    commits: usize,
    /// Only rules with this in their name.
    rules: String,
    /// A file of labelled histories.
    labelled: Option<PathBuf>,
}

impl Options {
    /// The rules that were asked for.
    fn rules(&self) -> impl Iterator<Item = (&'static str, rule::Maker)> {
        rule::RULES.into_iter().filter(|(name, _)| name.contains(&self.rules))
    }

    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { seed: 1, series: 100, commits: 300, rules: String::new(), labelled: None };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value} is not a whole number"));
            match flag.as_str() {
                "--seed" => options.seed = number()?,
                "--series-count" => options.series = number()?,
                "--commits" => options.commits = number()? as usize,
                "--rules" => options.rules = value,
                "--series" => options.labelled = Some(PathBuf::from(value)),
                _ => {
                    return Err(format!(
                        "{flag} is not known; there are --seed, --series-count, --commits, --rules and --series"
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
    say(format!("Seed {}, {} series per regime, {} commits each.\n", options.seed, options.series, options.commits))?;
    say(simulation::false_alarms(options))?;
    say(simulation::power(options))?;
    say(family::report(options.seed))
}
