//! The rooflines of the page: pictures and tables as plain HTML and SVG, which need no script.

use std::io::{self, Write};

use crate::report::escape::{html, terminal_short};
use crate::report::overview::Overview;
use crate::report::plot;
use crate::report::roofline::{KERNEL_COLUMNS, NUMBER_COLUMNS, TestbedRoofline, kernel_row, notes};

/// A stranger's text is cut here, as in the data of the page.
const LONGEST_TEXT: usize = 300;

/// Writes the section, or nothing where no kernel stands under a roof.
pub(super) fn section(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    if overview.rooflines.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section id=\"rooflines\" aria-label=\"Rooflines\"><h2>Rooflines</h2>")?;
    overview.rooflines.iter().try_for_each(|testbed| article(out, testbed))?;
    writeln!(out, "</section>")
}

fn article(out: &mut dyn Write, testbed: &TestbedRoofline) -> io::Result<()> {
    let title = html(&terminal_short(&testbed.title(), LONGEST_TEXT));
    writeln!(out, "<article class=\"card\"><header><h3>{title}</h3></header>")?;
    writeln!(
        out,
        "<div class=\"pan\" tabindex=\"0\" role=\"img\" aria-label=\"Roofline of {title}; the table has its numbers\">"
    )?;
    plot::roofline::svg(out, testbed)?;
    writeln!(out, "</div>")?;
    table(out, testbed)?;
    for note in notes(testbed) {
        writeln!(out, "<p class=\"note\">{}</p>", html(&note))?;
    }
    writeln!(out, "</article>")
}

fn table(out: &mut dyn Write, testbed: &TestbedRoofline) -> io::Result<()> {
    writeln!(out, "<div class=\"pan\" tabindex=\"0\" role=\"region\" aria-label=\"Kernels\"><table><thead><tr>")?;
    KERNEL_COLUMNS.iter().enumerate().try_for_each(|(at, name)| cell(out, "th", at, name))?;
    writeln!(out, "</tr></thead><tbody>")?;
    for (at, shown) in testbed.kernels.iter().enumerate() {
        write!(out, "<tr>")?;
        kernel_row(at + 1, shown).iter().enumerate().try_for_each(|(at, text)| cell(out, "td", at, text))?;
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn cell(out: &mut dyn Write, element: &str, at: usize, text: &str) -> io::Result<()> {
    let class = if NUMBER_COLUMNS.contains(&at) { " class=\"number\"" } else { "" };
    write!(out, "<{element}{class}>{}</{element}>", html(&terminal_short(text, LONGEST_TEXT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BenchmarkName, Config};
    use crate::report::roofline::tests::testbed;
    use crate::roofline::{Gpu, Kernel, Precision, Roofs, WorkSource};

    /// The picture is drawn for paper: the page gives each of its colours a meaning, which dark and light have.
    #[test]
    fn every_colour_of_the_picture_follows_the_theme() {
        let kernel = |byte_rate| Kernel {
            benchmark: BenchmarkName::new("k").unwrap(),
            config: Config::empty(),
            precision: Some(Precision::F16),
            flop_rate: Some(40e12),
            byte_rate,
            work: WorkSource::Declared,
            is_trusted: true,
        };
        let kernels = vec![kernel(Some(100e9)), kernel(Some(200e9)), kernel(None)];
        let mut svg = Vec::new();
        plot::roofline::svg(&mut svg, &testbed(Roofs::of_datasheet(Gpu::of("NVIDIA L4").unwrap()), kernels)).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let colours = regex::Regex::new(r##"(fill|stroke)="#[0-9A-F]{6}""##).unwrap();
        let mut seen: Vec<&str> = colours.find_iter(&svg).map(|found| found.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() >= 6, "{seen:?}");
        for colour in seen {
            assert!(crate::report::html::STYLE.contains(&format!(".pan [{colour}]")), "page.css has no rule for {colour}");
        }
    }
}
