//! `report --format svg|png`: the histories as one picture, for places where a page cannot go; `roofline` draws kernels
//! under their roofs.
//!
//! One panel for each series, one below the other: the runs, the ratchet line with its noise band, the levels and the
//! excuses. The letters come from a font inside the program (DejaVu Sans, cut to Latin, Greek and Cyrillic; its licence
//! lies beside it), so that a picture looks the same everywhere.

mod labels;
mod panel;
pub mod roofline;

use std::fmt::Display;
use std::io::{self, Write};

use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};
use plotters::style::{FontStyle, IntoTextStyle, RGBColor, register_font};

use super::escape;
use super::overview::{Overview, SeriesHistory};
use super::words::{self, SHORT_ID};

const FONT: &[u8] = include_bytes!("DejaVuSans.ttf");

/// Pixels. A picture on a page is seldom shown wider.
const WIDTH: u32 = 1200;
const PANEL_HEIGHT: u32 = 300;
const HEAD_HEIGHT: u32 = 56;

/// More panels than this make a picture that no viewer likes; the rest is counted.
const MOST_PANELS: usize = 24;

const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(27, 31, 36);
const SOFT: RGBColor = RGBColor(89, 99, 110);

/// Writes an SVG.
pub fn svg(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    let mut text = String::new();
    draw(SVGBackend::with_string(&mut text, size(overview)), overview)?;
    out.write_all(text.as_bytes())
}

/// Writes a PNG.
pub fn png(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    let (width, height) = size(overview);
    let mut pixels = vec![255; width as usize * height as usize * 3];
    draw(BitMapBackend::with_buffer(&mut pixels, (width, height)), overview)?;
    encode(out, &pixels, (width, height))
}

/// Writes pixels of three bytes each as a PNG.
fn encode(out: &mut dyn Write, pixels: &[u8], (width, height): (u32, u32)) -> io::Result<()> {
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(pixels).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

/// Makes our letters those of every picture.
fn register() {
    // Only a broken font is refused, and ours is not.
    let _ = register_font("sans-serif", FontStyle::Normal, FONT);
}

/// The series that have something to draw, those with the worst verdicts first.
fn drawn(overview: &Overview) -> Vec<&SeriesHistory> {
    let mut drawn: Vec<&SeriesHistory> = overview.series.iter().filter(|series| !series.points.is_empty()).collect();
    drawn.sort_by_key(|series| std::cmp::Reverse(series.verdict.as_ref().map(|verdict| verdict.verdict)));
    drawn
}

fn size(overview: &Overview) -> (u32, u32) {
    let panels = drawn(overview).len().clamp(1, MOST_PANELS) as u32;
    (WIDTH, HEAD_HEIGHT + panels * PANEL_HEIGHT)
}

fn draw<B: DrawingBackend>(backend: B, overview: &Overview) -> io::Result<()> {
    register();
    let root = backend.into_drawing_area();
    root.fill(&PAPER).map_err(failed)?;
    let series = drawn(overview);
    let (head, below) = root.split_vertically(HEAD_HEIGHT);
    write_head(&head, overview, series.len())?;
    let shown = &series[..series.len().min(MOST_PANELS)];
    for (area, series) in below.split_evenly((shown.len().max(1), 1)).iter().zip(shown) {
        panel::draw(area, series, &overview.commits)?;
    }
    root.present().map_err(failed)
}

fn write_head<B: DrawingBackend>(area: &DrawingArea<B, Shift>, overview: &Overview, series: usize) -> io::Result<()> {
    let judgement = &overview.judgement;
    let name = escape::terminal_short(&overview.repository, 60);
    let verdict = words::verdict(judgement.verdict());
    let title = format!("{name}: {} against {}, {verdict}", judgement.candidate.short(SHORT_ID), words::against(judgement));
    write_text(area, &title, (24, 14), 19, INK)?;
    let left_out = series.saturating_sub(MOST_PANELS);
    let more = if left_out > 0 { format!("{left_out} more series are not shown; ") } else { String::new() };
    let note = format!("{more}blue: runs, green: ratchet line and noise, amber: levels, violet: excuses");
    write_text(area, &note, (24, 38), 12, SOFT)
}

fn write_text<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    text: &str,
    at: (i32, i32),
    size: u32,
    color: RGBColor,
) -> io::Result<()> {
    let style = ("sans-serif", size).into_text_style(area).color(&color);
    area.draw_text(text, &style, at).map_err(failed)
}

fn failed(error: impl Display) -> io::Error {
    io::Error::other(format!("cannot draw: {error}"))
}
