//! `cargo run --release --example generate_repository -- DIR [COMMITS [RECORDS [EVERY]]]`: a repository to try and measure
//! git-ratchet on. An existing folder is left alone.

mod repository;

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = arguments.first().ok_or_else(|| io::Error::other("usage: generate_repository DIR [COMMITS [RECORDS [EVERY]]]"))?;
    let number = |at: usize, usual: u64| arguments.get(at).map_or(Ok(usual), |text| text.parse()).map_err(io::Error::other);
    let plan = repository::Plan { commits: number(1, 2_000)?, records: number(2, 10)?, every: number(3, 1)? };
    if Path::new(dir).exists() {
        return Ok(());
    }
    repository::generate(Path::new(dir), plan)
}
