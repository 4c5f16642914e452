//! `[fleet.NAME]`: places where benchmarks run besides here, and what Slurm is asked for there. A file only names them; nothing is
//! run at one before somebody says `--on NAME`.

use toml::Spanned;

use super::error::Problem;
use super::raw::RawPlace;

/// A place: a cluster's part with the hardware that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Options of srun, one word each: `--partition=gpu`.
    pub slurm: Vec<String>,
}

/// Options that decide how a job is run and watched, and not where: they are ours. With a value or without one.
const OWN: [&str; 24] = [
    "--chdir",
    "--error",
    "--export",
    "--input",
    "--job-name",
    "--jobid",
    "--label",
    "--multi-prog",
    "--nodes",
    "--ntasks",
    "--ntasks-per-node",
    "--output",
    "--pty",
    "--quiet",
    "--test-only",
    "-D",
    "-J",
    "-N",
    "-Q",
    "-e",
    "-i",
    "-l",
    "-n",
    "-o",
];

impl Place {
    /// A place whose options are these words.
    pub(super) fn of_words(words: Vec<String>) -> Result<Self, String> {
        for word in &words {
            let name = if word.starts_with("--") { word.split('=').next() } else { word.get(..2) }.unwrap_or_default();
            if !word.starts_with('-') || name.len() < 2 || word == "--" {
                return Err(format!(
                    "`{word}` is no option of srun: write an option and its value as one word, such as --partition=gpu"
                ));
            }
            if let Some(own) = OWN.iter().find(|own| **own == name) {
                return Err(format!("{own} is not asked of a place: a job is one process on one node, and talks to git ratchet"));
            }
        }
        Ok(Self { slurm: words })
    }

    /// A place from one line of words, quoted as in a shell.
    pub(super) fn of_line(line: &str) -> Result<Self, String> {
        let words = shell_words::split(line).map_err(|_| format!("`{line}` has a quote that does not end"))?;
        Self::of_words(words)
    }
}

/// The place of one table.
pub(super) fn place(name: &str, raw: &Spanned<RawPlace>) -> Result<Place, Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('-') || !name.chars().all(is_plain) {
        return Err(Problem::at(raw.span(), format!("`{name}` is no name of a place"))
            .hint("letters, digits, `-`, `_` and `.` make one: --on NAME asks for it"));
    }
    let slurm = &raw.as_ref().slurm;
    let words = slurm.as_ref().iter().map(|word| word.0.clone()).collect();
    Place::of_words(words).map_err(|message| Problem::at(slurm.span(), message))
}
