//! `roofline --output FILE`: one testbed's roofs and kernels on logarithmic axes, with a legend beside them.
//!
//! Kernels are numbered, since names are long and points lie close together; the legend has the names. A number or a
//! label of a roof is drawn only where nothing else stands: the legend has them all.

use std::io::{self, Write};

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::labels::{Rect, Room, text_width};
use super::{INK, PAPER, SOFT, encode, failed, register, write_text};
use crate::model::Unit;
use crate::report::escape::terminal_short;
use crate::report::number::significant;
use crate::report::roofline::{ShownKernel, TestbedRoofline, bound_word, limit_name, rate, source_words};
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

/// A logarithmic axis over whole decades.
#[derive(Debug, Clone, Copy)]
struct Axis {
    low: i32,
    high: i32,
    start: f64,
    length: f64,
}

impl Axis {
    /// Decades around the values, at least two.
    fn around(values: &[f64], start: f64, length: f64) -> Self {
        let (low, high) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
        let (low, high) = if low.is_finite() && low > 0.0 { (low, high) } else { (1.0, 100.0) };
        let low = (low / 1.6).log10().floor() as i32;
        let high = ((high * 1.6).log10().ceil() as i32).max(low + 2);
        Self { low, high, start, length }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.start + share * self.length
    }

    fn ends(&self) -> (f64, f64) {
        (10f64.powi(self.low), 10f64.powi(self.high))
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10f64.powi(power))
    }
}

/// A line of a roof, in pixels.
struct RoofLine {
    from: (f64, f64),
    to: (f64, f64),
    color: RGBColor,
    binds: bool,
    label: String,
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

    fn length(&self) -> f64 {
        (self.to.0 - self.from.0).hypot(self.to.1 - self.from.1)
    }

    fn along(&self, share: f64) -> (f64, f64) {
        (self.from.0 + share * (self.to.0 - self.from.0), self.from.1 + share * (self.to.1 - self.from.1))
    }

    fn pixel(&self, share: f64) -> (i32, i32) {
        let (x, y) = self.along(share);
        (x.round() as i32, y.round() as i32)
    }

    /// Small squares along the line, which labels keep away from.
    fn obstacles(&self) -> impl Iterator<Item = Rect> {
        let steps = (self.length() / 4.0).ceil().max(1.0) as usize;
        (0..=steps).map(move |step| {
            let (x, y) = self.along(step as f64 / steps as f64);
            Rect { x: x - 2.0, y: y - 2.0, width: 4.0, height: 4.0 }
        })
    }

    /// Places for its label: above it, then below, from its right end leftwards.
    fn places(&self) -> Vec<Rect> {
        let (width, height) = (text_width(&self.label, LETTER), label_height());
        let is_flat = self.from.1 == self.to.1;
        let mut places = Vec::new();
        for step in 0..20 {
            let (x, y) = self.along(1.0 - f64::from(step) / 20.0);
            let above = Rect { x: x - width - 8.0, y: y - height - 5.0, width, height };
            let below = Rect { x: if is_flat { x - width - 8.0 } else { x + 8.0 }, y: y + 6.0, width, height };
            places.extend([above, below]);
        }
        places
    }
}

fn label_height() -> f64 {
    f64::from(LETTER) + 3.0
}

fn dashes(length: f64) -> Vec<(f64, f64)> {
    let (on, period) = (7.0 / length, 12.0 / length);
    let count = (1.0 / period).ceil() as usize;
    (0..count.min(400)).map(|at| (at as f64 * period, (at as f64 * period + on).min(1.0))).collect()
}

/// A kernel that has a place.
struct Mark<'a> {
    kernel: &'a ShownKernel,
    number: usize,
    at: (i32, i32),
}

struct Label {
    text: String,
    place: Rect,
    color: RGBColor,
}

struct Layout<'a> {
    x: Axis,
    y: Axis,
    lines: Vec<RoofLine>,
    marks: Vec<Mark<'a>>,
    labels: Vec<Label>,
}

impl<'a> Layout<'a> {
    fn of(shown: &'a TestbedRoofline) -> Self {
        let roofs = shown.drawn_roofs();
        let placed: Vec<(usize, &ShownKernel, f64, f64)> = shown
            .kernels
            .iter()
            .enumerate()
            .filter_map(|(at, kernel)| Some((at + 1, kernel, kernel.kernel.intensity()?, kernel.kernel.flop_rate?)))
            .collect();
        let (x, y) = axes(&roofs, &placed);
        let lines = roof_lines(&roofs, shown, x, y);
        let marks: Vec<Mark> = placed
            .iter()
            .map(|(number, kernel, intensity, rate)| {
                let at = (x.at(*intensity).round() as i32, y.at(*rate).round() as i32);
                Mark { kernel, number: *number, at }
            })
            .collect();
        let labels = labels(&lines, &marks);
        Self { x, y, lines, marks, labels }
    }

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

fn axes(roofs: &[&Roof], placed: &[(usize, &ShownKernel, f64, f64)]) -> (Axis, Axis) {
    let compute = |roof: &&&Roof| matches!(roof.limit, Limit::Compute(_));
    let peaks: Vec<f64> = roofs.iter().filter(compute).map(|roof| roof.rate).collect();
    let bandwidths: Vec<f64> = roofs.iter().filter(|roof| !compute(roof)).map(|roof| roof.rate).collect();
    let ridges = peaks.iter().flat_map(|peak| bandwidths.iter().map(move |bandwidth| peak / bandwidth));
    let xs: Vec<f64> = ridges.chain(placed.iter().map(|(_, _, intensity, _)| *intensity)).collect();
    let x = Axis::around(&xs, AREA.x, AREA.width);
    let mut ys: Vec<f64> = peaks.iter().copied().chain(placed.iter().map(|(.., rate)| *rate)).collect();
    // The memory roof where the picture begins, unless that would squeeze everything else.
    let most = ys.iter().copied().fold(0.0, f64::max);
    ys.extend(bandwidths.iter().map(|bandwidth| (bandwidth * x.ends().0 * 2.0).max(most / 1e4)));
    let y = Axis::around(&ys, AREA.y + AREA.height, -AREA.height);
    (x, y)
}

fn roof_lines(roofs: &[&Roof], shown: &TestbedRoofline, x: Axis, y: Axis) -> Vec<RoofLine> {
    let slope = shown.roofs.binding(Limit::Memory).map(|roof| roof.rate);
    let highest = roofs.iter().filter(|roof| roof.limit != Limit::Memory).map(|roof| roof.rate).fold(0.0, f64::max);
    let (left, right) = x.ends();
    let (bottom, top) = y.ends();
    let mut lines: Vec<RoofLine> = Vec::new();
    for roof in roofs {
        let binds = shown.roofs.is_binding(roof);
        let (from, to, color) = match roof.limit {
            Limit::Memory => {
                let ceiling = if highest > 0.0 { highest } else { top };
                let from = left.max(bottom / roof.rate);
                ((from, from * roof.rate), ((ceiling / roof.rate).min(right), ceiling.min(right * roof.rate)), MEMORY)
            }
            Limit::Compute(_) => {
                let from = slope.map_or(left, |slope| (roof.rate / slope).clamp(left, right));
                ((from, roof.rate), (right, roof.rate), COMPUTE)
            }
        };
        let pixels = |(intensity, rate): (f64, f64)| (x.at(intensity), y.at(rate));
        let line = RoofLine { from: pixels(from), to: pixels(to), color, binds, label: roof_words(roof) };
        // f16 and bf16 mostly share a roof: one line, and both names on it.
        let twin = lines.iter_mut().find(|other| other.from == line.from && other.to == line.to && other.binds == binds);
        match twin {
            Some(twin) => twin.label = format!("{}, {}", limit_name(roof.limit), twin.label),
            None => lines.push(line),
        }
    }
    lines
}

fn roof_words(roof: &Roof) -> String {
    let unit = if roof.limit == Limit::Memory { Unit::BYTE_PER_SECOND } else { Unit::FLOP_PER_SECOND };
    format!("{} {} ({})", limit_name(roof.limit), rate(roof.rate, &unit), roof.source.as_str())
}

/// Numbers beside the kernels, then labels along the roofs, each where there is room.
fn labels(lines: &[RoofLine], marks: &[Mark]) -> Vec<Label> {
    let mut room = Room::new(AREA);
    lines.iter().flat_map(RoofLine::obstacles).for_each(|rect| room.take(rect));
    for mark in marks {
        let (x, y) = (f64::from(mark.at.0), f64::from(mark.at.1));
        let radius = f64::from(RADIUS) + 1.0;
        room.take(Rect { x: x - radius, y: y - radius, width: 2.0 * radius, height: 2.0 * radius });
    }
    let mut labels = Vec::new();
    for mark in marks {
        let text = mark.number.to_string();
        let place = room.place(around(mark.at, text_width(&text, LETTER)));
        labels.extend(place.map(|place| Label { text, place, color: INK }));
    }
    // What binds is labelled first: where there is no room, the legend has the rest.
    let (binding, others): (Vec<&RoofLine>, Vec<&RoofLine>) = lines.iter().rev().partition(|line| line.binds);
    for line in binding.into_iter().chain(others) {
        let place = room.place(line.places());
        labels.extend(place.map(|place| Label { text: line.label.clone(), place, color: line.color }));
    }
    labels
}

/// Places around a point, near ones first.
fn around(at: (i32, i32), width: f64) -> impl Iterator<Item = Rect> {
    let height = label_height();
    let (x, y) = (f64::from(at.0) - width / 2.0, f64::from(at.1) - height / 2.0);
    (0..5).flat_map(move |ring| {
        let distance = 14.0 + 9.0 * f64::from(ring);
        (0..12).map(move |step| {
            let angle = f64::from(step) * std::f64::consts::TAU / 12.0 - std::f64::consts::FRAC_PI_4;
            Rect { x: x + (distance + width / 4.0) * angle.cos(), y: y + distance * angle.sin(), width, height }
        })
    })
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
    format!("{reached}, {percent} % of the {} roof", bound_word(standing.bound))
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
