//! What the measurements take on disk, packed as `git gc` does, beside the same measurements as git-perf keeps them.
//!
//! git-perf itself is not needed for it, only its format.

use std::io;
use std::path::Path;

use crate::git_perf::{self, Kept};
use crate::{Size, repository};

/// Prints a table of sizes.
///
/// # Errors
/// git fails, or the disk does.
pub fn report(ours: &Path, size: Size) -> io::Result<()> {
    println!("\n| packed | all MB | notes MB | bytes for a record |\n|---|---:|---:|---:|");
    row("git-ratchet", ours, "refs/notes/ratchet", size)?;
    for (kept, name) in [
        (Kept::Samples, "git-perf's format, every value"),
        (Kept::Rounded, "git-perf's format, every value rounded as ours"),
        (Kept::Medians, "git-perf's format, medians only"),
    ] {
        row(name, &git_perf::repository(ours, size, kept)?, git_perf::NOTES, size)?;
    }
    Ok(())
}

/// The notes count with their commits and trees.
fn row(name: &str, dir: &Path, notes: &str, size: Size) -> io::Result<()> {
    let bytes_of = |reference: &str| -> io::Result<u64> {
        let usage = repository::git(dir, &["rev-list", "--objects", "--disk-usage", reference])?;
        usage.trim().parse().map_err(io::Error::other)
    };
    let (all, notes) = (bytes_of("--all")?, bytes_of(notes)?);
    let records = size.commits.div_ceil(size.every) * size.records;
    println!("| {name} | {:.1} | {:.1} | {} |", all as f64 / 1e6, notes as f64 / 1e6, notes / records);
    Ok(())
}
