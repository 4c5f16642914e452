//! `roofline --output FILE`: one testbed's roofs and kernels on logarithmic axes, with a legend beside them.
//!
//! Kernels are numbered, since names are long and points lie close together; the legend has the names. A number or a
//! label of a roof is drawn only where nothing else stands: the legend has them all.

mod layout;

use std::io::{self, Write};

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};
use plotters::style::{Color, RGBColor, ShapeStyle};

use layout::{Layout, RoofLine};

use super::labels::{Rect, text_width};
use super::{INK, PAPER, SOFT, encode, failed, register, write_text};
use crate::model::Unit;
use crate::report::escape::terminal_short;
use crate::report::number::significant;
use crate::report::roofline::{ShownKernel, TestbedRoofline, bound_word, limit_name, rate, source_words};
use crate::report::words::trust_mark;
use crate::roofline::{Bound, Limit, Roof};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 760;
const AREA: Rect = Rect { x: 96.0, y: 72.0, width: 756.0, height: 612.0 };
const LEGEND_X: i32 = 884;
const LEGEND_CHARS: usize = 54;

const GRID: RGBColor = RGBColor(228, 232, 237);
const MEMORY: RGBColor = RGBColor(59, 111, 214);
const COMPUTE: RGBColor = RGBColor(176, 84, 20);

const LETTER: u32 = 12;
const RADIUS: i32 = 5;

/// Writes an SVG.
pub fn svg(out: &mut dyn Write, shown: &TestbedRoofline) -> io::Result<()> {
    let mut text = String::new();
    draw(SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)), shown)?;
    out.write_all(text.as_bytes())
}

/// Writes a PNG.
pub fn png(out: &mut dyn Write, shown: &TestbedRoofline) -> io::Result<()> {
    let mut pixels = vec![255; WIDTH as usize * HEIGHT as usize * 3];
    draw(BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)), shown)?;
    encode(out, &pixels, (WIDTH, HEIGHT))
}

fn draw<B: DrawingBackend>(backend: B, shown: &TestbedRoofline) -> io::Result<()> {
    register();
    let area = backend.into_drawing_area();
    area.fill(&PAPER).map_err(failed)?;
    let layout = Layout::of(shown);
    write_text(&area, &format!("roofline of {}", terminal_short(&shown.title(), 90)), (24, 16), 19, INK)?;
    write_text(&area, "solid: the roof that binds; dashed: what else is known", (24, 42), LETTER, SOFT)?;
    layout.draw_grid(&area)?;
    layout.lines.iter().try_for_each(|line| line.draw(&area))?;
    for mark in &layout.marks {
        let color = bound_color(mark.kernel.standing.map(|standing| standing.bound));
        area.draw(&Circle::new(mark.at, RADIUS, color.filled())).map_err(failed)?;
        area.draw(&Circle::new(mark.at, RADIUS, PAPER.stroke_width(1))).map_err(failed)?;
    }
    for label in &layout.labels {
        let at = (label.place.x.round() as i32, label.place.y.round() as i32);
        write_text(&area, &label.text, at, LETTER, label.color)?;
    }
    draw_legend(&area, shown, &layout)?;
    area.present().map_err(failed)
}

impl RoofLine {
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> io::Result<()> {
        let style: ShapeStyle = if self.binds { self.color.stroke_width(2) } else { self.color.mix(0.7).stroke_width(1) };
        let segments = if self.binds { vec![(0.0, 1.0)] } else { dashes(self.length()) };
        for (from, to) in segments {
            let corners = vec![self.pixel(from), self.pixel(to)];
            area.draw(&PathElement::new(corners, style)).map_err(failed)?;
        }
        Ok(())
    }
}

fn dashes(length: f64) -> Vec<(f64, f64)> {
    let (on, period) = (7.0 / length, 12.0 / length);
    let count = (1.0 / period).ceil() as usize;
    (0..count.min(400)).map(|at| (at as f64 * period, (at as f64 * period + on).min(1.0))).collect()
}

impl Layout<'_> {
    fn draw_grid<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> io::Result<()> {
        let (left, right) = (AREA.x as i32, (AREA.x + AREA.width) as i32);
        let (top, bottom) = (AREA.y as i32, (AREA.y + AREA.height) as i32);
        for value in self.x.decades() {
            let at = self.x.at(value).round() as i32;
            area.draw(&PathElement::new(vec![(at, top), (at, bottom)], GRID.stroke_width(1))).map_err(failed)?;
            let text = plain(value);
            write_text(area, &text, (at - (text_width(&text, LETTER) / 2.2) as i32, bottom + 8), LETTER, SOFT)?;
        }
        for value in self.y.decades() {
            let at = self.y.at(value).round() as i32;
            area.draw(&PathElement::new(vec![(left, at), (right, at)], GRID.stroke_width(1))).map_err(failed)?;
            let text = rate(value, &Unit::FLOP_PER_SECOND);
            write_text(area, &text, ((AREA.x - 8.0 - text_width(&text, LETTER) * 0.92) as i32, at - 7), LETTER, SOFT)?;
        }
        let frame = Rectangle::new([(left, top), (right, bottom)], SOFT.stroke_width(1));
        area.draw(&frame).map_err(failed)?;
        let middle = (AREA.x + AREA.width / 2.0 - 110.0) as i32;
        write_text(area, "operations for each byte (FLOP/B)", (middle, bottom + 30), 13, SOFT)
    }
}

fn plain(value: f64) -> String {
    if value >= 1.0 { format!("{value:.0}") } else { format!("{value}") }
}

fn bound_color(bound: Option<Bound>) -> RGBColor {
    match bound {
        Some(Bound::Memory) => MEMORY,
        Some(Bound::Compute(_)) => COMPUTE,
        None => SOFT,
    }
}

fn draw_legend<B: DrawingBackend>(area: &DrawingArea<B, Shift>, shown: &TestbedRoofline, layout: &Layout) -> io::Result<()> {
    let mut y = AREA.y as i32;
    write_text(area, "roofs", (LEGEND_X, y), 13, INK)?;
    y += 22;
    for roof in shown.drawn_roofs() {
        let color = if roof.limit == Limit::Memory { MEMORY } else { COMPUTE };
        let ends = if shown.roofs.is_binding(roof) { &[(0, 18)][..] } else { &[(0, 5), (8, 13)] };
        for (from, to) in ends {
            let corners = vec![(LEGEND_X + from, y + 4), (LEGEND_X + to, y + 4)];
            area.draw(&PathElement::new(corners, color.stroke_width(2))).map_err(failed)?;
        }
        write_text(area, &terminal_short(&legend_roof(roof), LEGEND_CHARS), (LEGEND_X + 26, y), LETTER, SOFT)?;
        y += 18;
    }
    y += 14;
    write_text(area, "kernels", (LEGEND_X, y), 13, INK)?;
    y += 22;
    let bottom = HEIGHT as i32 - 40;
    let fitting = ((bottom - y) / 36).max(0) as usize;
    for mark in layout.marks.iter().take(fitting) {
        write_text(area, &format!("{}", mark.number), (LEGEND_X, y), LETTER, INK)?;
        write_text(area, &terminal_short(&mark.kernel.name(), LEGEND_CHARS), (LEGEND_X + 26, y), LETTER, INK)?;
        let color = bound_color(mark.kernel.standing.map(|standing| standing.bound));
        write_text(area, &standing_words(mark.kernel), (LEGEND_X + 26, y + 16), 11, color)?;
        y += 36;
    }
    let left_out = layout.marks.len().saturating_sub(fitting);
    let elsewhere = shown.kernels.len() - layout.marks.len();
    if left_out + elsewhere > 0 {
        write_text(area, &format!("and {} in the table only", left_out + elsewhere), (LEGEND_X, y), LETTER, SOFT)?;
    }
    Ok(())
}

fn legend_roof(roof: &Roof) -> String {
    let unit = if roof.limit == Limit::Memory { Unit::BYTE_PER_SECOND } else { Unit::FLOP_PER_SECOND };
    format!("{} {}, {}", limit_name(roof.limit), rate(roof.rate, &unit), source_words(&roof.source))
}

fn standing_words(kernel: &ShownKernel) -> String {
    let Some(standing) = kernel.standing else { return "no roof is known".to_owned() };
    let reached = kernel.kernel.flop_rate.map_or(String::new(), |flop| rate(flop, &Unit::FLOP_PER_SECOND));
    let percent = significant(standing.percent(), 3);
    let mark = trust_mark(kernel.kernel.is_trusted);
    format!("{reached}{mark}, {percent} % of the {} roof", bound_word(standing.bound))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{BenchmarkName, Config};
    use crate::report::roofline::tests::testbed;
    use crate::roofline::{Gpu, Kernel, Precision, Roofs, WorkSource};

    fn kernel(intensity: f64, share: f64) -> Kernel {
        let peak: f64 = f64::min(121e12, intensity * 300e9);
        Kernel {
            benchmark: BenchmarkName::new("k").unwrap(),
            config: Config::empty(),
            precision: Some(Precision::F16),
            flop_rate: Some(share * peak),
            byte_rate: Some(share * peak / intensity),
            work: WorkSource::Declared,
            is_trusted: true,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_two_labels_overlap_and_all_lie_inside(points in prop::collection::vec((-2.0..5.0_f64, 0.001..1.2_f64), 0..30)) {
            let kernels = points.iter().map(|(power, share)| kernel(10f64.powf(*power), *share)).collect();
            let shown = testbed(Roofs::of_datasheet(Gpu::of("NVIDIA L4").unwrap()), kernels);
            let layout = Layout::of(&shown);
            for (at, label) in layout.labels.iter().enumerate() {
                prop_assert!(AREA.contains(&label.place));
                for other in &layout.labels[at + 1..] {
                    prop_assert!(!label.place.intersects(&other.place), "{} and {}", label.text, other.text);
                }
            }
            for mark in &layout.marks {
                let (x, y) = (f64::from(mark.at.0), f64::from(mark.at.1));
                prop_assert!(AREA.contains(&Rect { x, y, width: 0.0, height: 0.0 }), "a kernel lies outside");
            }
        }
    }

    #[test]
    fn a_few_kernels_all_have_their_numbers_and_roofs_their_names() {
        let kernels = vec![kernel(256.0, 0.67), kernel(256.0, 0.66), kernel(0.25, 0.9), kernel(2000.0, 0.5)];
        let shown = testbed(Roofs::of_datasheet(Gpu::of("NVIDIA L4").unwrap()), kernels);
        let layout = Layout::of(&shown);
        let texts: Vec<&str> = layout.labels.iter().map(|label| label.text.as_str()).collect();
        assert_eq!(texts, ["1", "2", "3", "4", "f16 121 TFLOP/s (datasheet)", "memory 300 GB/s (datasheet)"]);
    }

    #[test]
    fn a_picture_without_kernels_or_roofs_is_drawn_too() {
        for roofs in [Roofs::default(), Roofs::of_datasheet(Gpu::of("NVIDIA L4").unwrap())] {
            let shown = testbed(roofs, Vec::new());
            let (mut vector, mut bitmap) = (Vec::new(), Vec::new());
            svg(&mut vector, &shown).unwrap();
            png(&mut bitmap, &shown).unwrap();
            assert!(vector.starts_with(b"<svg") && bitmap.starts_with(b"\x89PNG"));
        }
    }
}
