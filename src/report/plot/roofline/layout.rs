//! Where everything stands on the picture: axes, lines of roofs, kernels, and the labels that found room.

use plotters::style::RGBColor;

use super::super::INK;
use super::super::labels::{Rect, Room, text_width};
use super::{AREA, COMPUTE, LETTER, MEMORY, RADIUS};
use crate::model::Unit;
use crate::report::roofline::{ShownKernel, TestbedRoofline, limit_name, rate};
use crate::roofline::{Limit, Roof};

/// A logarithmic axis over whole decades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
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

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.start + share * self.length
    }

    fn ends(&self) -> (f64, f64) {
        (10f64.powi(self.low), 10f64.powi(self.high))
    }

    pub(super) fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10f64.powi(power))
    }
}

/// A line of a roof, in pixels.
pub(super) struct RoofLine {
    from: (f64, f64),
    to: (f64, f64),
    pub(super) color: RGBColor,
    pub(super) binds: bool,
    label: String,
}

impl RoofLine {
    pub(super) fn length(&self) -> f64 {
        (self.to.0 - self.from.0).hypot(self.to.1 - self.from.1)
    }

    fn along(&self, share: f64) -> (f64, f64) {
        (self.from.0 + share * (self.to.0 - self.from.0), self.from.1 + share * (self.to.1 - self.from.1))
    }

    pub(super) fn pixel(&self, share: f64) -> (i32, i32) {
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

/// A kernel that has a place.
pub(super) struct Mark<'a> {
    pub(super) kernel: &'a ShownKernel,
    pub(super) number: usize,
    pub(super) at: (i32, i32),
}

pub(super) struct Label {
    pub(super) text: String,
    pub(super) place: Rect,
    pub(super) color: RGBColor,
}

pub(super) struct Layout<'a> {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<RoofLine>,
    pub(super) marks: Vec<Mark<'a>>,
    pub(super) labels: Vec<Label>,
}

impl<'a> Layout<'a> {
    pub(super) fn of(shown: &'a TestbedRoofline) -> Self {
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
