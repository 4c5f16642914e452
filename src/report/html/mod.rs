//! `report --format html`: one file that works from a disk, without a network, for as long as browsers exist.
//!
//! The page (`page.html`, `page.css`, `page.js`) and the chart library (uPlot, MIT, in `vendor/` with its licence) are
//! part of the program; the data is one JSON object inside the page, in columns (`data`). Nothing here decides.

mod data;
mod rooflines;

use std::io::{self, Write};

use super::escape;
use super::overview::Overview;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const CHART_STYLE: &str = include_str!("vendor/uPlot.min.css");
const CHART_SCRIPT: &str = include_str!("vendor/uPlot.iife.min.js");

/// Writes the page.
pub fn report(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    // One pass over our own page: a mark inside what is filled in means nothing.
    for (at, part) in PAGE.split("@@").enumerate() {
        match (at % 2, part) {
            (1, "title") => out.write_all(title(overview).as_bytes())?,
            (1, "style") => out.write_all(STYLE.as_bytes())?,
            (1, "script") => out.write_all(SCRIPT.as_bytes())?,
            (1, "chart_style") => out.write_all(CHART_STYLE.as_bytes())?,
            (1, "chart_script") => out.write_all(CHART_SCRIPT.as_bytes())?,
            (1, "rooflines") => rooflines::section(out, overview)?,
            (1, "data") => {
                let json = serde_json::to_string(&data::Page::of(overview))?;
                out.write_all(escape::script_json(&json).as_bytes())?;
            }
            _ => out.write_all(part.as_bytes())?,
        }
    }
    Ok(())
}

fn title(overview: &Overview) -> String {
    let verdict = super::words::verdict(overview.judgement.verdict());
    escape::html(&escape::terminal_short(&format!("{}: {verdict} – git-ratchet", overview.repository), 120))
}
