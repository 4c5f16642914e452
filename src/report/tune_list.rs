//! The points of a space without times: listed, or with what the compiler says of them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::check_text::TextOptions;
use super::escape::terminal_short;
use super::number::{quantity, significant};
use super::series_json::config;
use super::table::{Table, Tone, paint};
use super::tune_json;
use super::tune_text::config_name;
use super::tuning::Code;
use crate::model::{Config, Unit};

/// The valid points for one architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The architecture.
    pub arch: String,
    /// What compiled them; `None` where they were only listed.
    pub compiler: Option<String>,
    /// Points of the grid, valid or not.
    pub combinations: u128,
    /// Valid points.
    pub valid: usize,
    /// Each valid point at each config.
    pub points: Vec<ListedPoint>,
}

/// A point at a config.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPoint {
    /// Every tunable and its value.
    pub tunables: Config,
    /// The config.
    pub config: Config,
    /// Whether it is what `bench` measures now.
    pub is_default: bool,
    /// What the compiler says.
    pub code: Option<Code>,
    /// Why it does not.
    pub failure: Option<String>,
}

/// Writes a table for each architecture.
pub fn text(out: &mut dyn Write, benchmark: &str, listings: &[Listing], options: TextOptions) -> io::Result<()> {
    for (place, listing) in listings.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        let by = listing.compiler.as_ref().map_or_else(String::new, |compiler| format!(" · {compiler}"));
        let title =
            format!("{benchmark} for {}{by}: {} valid of {} combinations", listing.arch, listing.valid, listing.combinations);
        writeln!(out, "{}", paint(&terminal_short(&title, 200), Tone::Strong, options.color))?;
        out.write_all(table(listing, options).render(options.width).as_bytes())?;
        let failed = listing.points.iter().filter(|point| point.failure.is_some());
        if let Some(first) = failed.clone().next().and_then(|point| point.failure.as_ref()) {
            let line =
                format!("{} of them cannot be compiled: {}", failed.count(), first.lines().take(2).collect::<Vec<_>>().join(" "));
            writeln!(out, "{}", paint(&terminal_short(&line, 300), Tone::Warn, options.color))?;
        }
    }
    Ok(())
}

fn table(listing: &Listing, options: TextOptions) -> Table {
    let names: Vec<&str> =
        listing.points.first().map(|point| point.tunables.iter().map(|(name, _)| name).collect()).unwrap_or_default();
    let shown: Vec<String> = names.iter().map(|name| terminal_short(name, 20)).collect();
    let with_config = listing.points.iter().any(|point| point.config != listing.points[0].config);
    let mut header: Vec<&str> = shown.iter().map(String::as_str).collect();
    if listing.compiler.is_some() {
        header.extend(["registers", "spills", "shared", "occupancy", "instructions"]);
    }
    let right: Vec<usize> = (0..header.len()).collect();
    header.extend(with_config.then_some("config"));
    header.push("");
    let mut table = Table::new(&header, options.color).right_align(&right);
    for point in &listing.points {
        let mut row: Vec<String> = names.iter().map(|name| terminal_short(point.tunables.get(name).unwrap_or("–"), 20)).collect();
        if listing.compiler.is_some() {
            row.extend(cells(point.code.as_ref()));
        }
        row.extend(with_config.then(|| terminal_short(&config_name(&point.config), 40)));
        row.push(match (&point.failure, point.is_default) {
            (Some(_), _) => paint("failed", Tone::Bad, options.color),
            (None, true) => paint("default", Tone::Strong, options.color),
            (None, false) => String::new(),
        });
        table.row(row);
    }
    table
}

/// Registers, spills, shared memory, occupancy, instructions.
fn cells(code: Option<&Code>) -> [String; 5] {
    let dash = || "–".to_owned();
    let Some(code) = code else { return [dash(), dash(), dash(), dash(), dash()] };
    [
        code.registers.to_string(),
        if code.spill_bytes == 0 { "0".to_owned() } else { format!("{} B", code.spill_bytes) },
        code.shared_bytes.map_or_else(dash, |bytes| quantity(bytes as f64, &Unit::BYTE)),
        code.occupancy_percent.map_or_else(dash, |percent| format!("{} %", significant(percent, 3))),
        code.instructions.to_string(),
    ]
}

/// The one object that `tune --list --json` and `tune --compile-only --json` print.
pub fn json(benchmark: &str, manifest: &str, listings: &[Listing]) -> Value {
    let point = |point: &ListedPoint| {
        json!({
            "tunables": config(&point.tunables),
            "config": config(&point.config),
            "default": point.is_default,
            "code": point.code.as_ref().map(tune_json::code),
            "failure": point.failure,
        })
    };
    let listing = |listing: &Listing| {
        json!({
            "arch": listing.arch,
            "compiler": listing.compiler,
            "space": { "combinations": listing.combinations as f64, "valid": listing.valid },
            "points": listing.points.iter().map(point).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": 1,
        "benchmark": benchmark,
        "manifest": manifest,
        "archs": listings.iter().map(listing).collect::<Vec<_>>(),
    })
}
