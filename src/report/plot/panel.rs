//! One panel of a picture: the history of one series.

use std::io;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::{Cartesian2d, DrawingArea, DrawingBackend};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle};

use super::{INK, SOFT, failed, write_text};
use crate::judge::Verdict;
use crate::report::escape::terminal_short;
use crate::report::number::{Scale, change};
use crate::report::overview::{Commits, Point, SeriesHistory, Standing, point_name};
use crate::report::words::{self, SHORT_ID};

const RUN: RGBColor = RGBColor(59, 111, 214);
const RATCHET: RGBColor = RGBColor(25, 122, 61);
const LEVEL: RGBColor = RGBColor(154, 106, 0);
const EXCUSE: RGBColor = RGBColor(138, 63, 252);
const BAD: RGBColor = RGBColor(196, 34, 47);
const GRID: RGBColor = RGBColor(233, 236, 240);

/// Most places of the axis below that say which commit they are.
const MOST_PLACES: usize = 9;

/// Room above and below the values, as a share of their range.
const HEADROOM: f64 = 0.12;

/// The least range of the axis, as a share of the values: a flat series is not stretched to its noise.
const LEAST_RANGE: f64 = 0.02;

type Axes = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// Draws the series.
pub(super) fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, series: &SeriesHistory, commits: &Commits) -> io::Result<()> {
    let panel = Panel::of(series);
    write_title(area, series, &panel.scale)?;
    let (low, high) = panel.value_range();
    let places = -0.6..panel.places.len() as f64 - 0.4;
    let mut chart = ChartBuilder::on(area)
        .margin_top(34)
        .margin_right(24)
        .margin_bottom(6)
        .margin_left(12)
        .x_label_area_size(26)
        .y_label_area_size(84)
        .build_cartesian_2d(places.clone(), low..high)
        .map_err(failed)?;
    let marked = panel.marks(&RangedCoordf64::from(places).key_points(BoldPoints(MOST_PLACES)), commits);
    let mark = |place: &f64| marked.iter().find(|(at, _)| at == place).map_or_else(String::new, |(_, mark)| mark.clone());
    // A tenth of the range is finer than the labels stand.
    let decimals = (1.0 - (high - low).log10()).ceil().clamp(0.0, 9.0) as usize;
    let label = |value: &f64| format!("{value:.decimals$} {}", panel.scale.unit()).trim_end().to_owned();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(GRID.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(GRID)
        .x_labels(MOST_PLACES)
        .y_labels(6)
        .x_label_formatter(&mark)
        .y_label_formatter(&label)
        .label_style(("sans-serif", 12).into_font().color(&SOFT))
        .draw()
        .map_err(failed)?;
    panel.draw_on(&mut chart)
}

fn write_title<B: DrawingBackend>(area: &DrawingArea<B, Shift>, series: &SeriesHistory, scale: &Scale) -> io::Result<()> {
    let name = terminal_short(&point_name(series.key.benchmark.as_str(), &series.key.config), 70);
    let metric = terminal_short(series.metric.name.as_str(), 24);
    let testbed = terminal_short(&series.key.testbed, 40);
    write_text(area, &format!("{name}  {metric}, {} is better, {testbed}", series.metric.better), (24, 10), 14, INK)?;
    let Some(verdict) = series.verdict.as_ref() else { return Ok(()) };
    let moved = verdict.change_percent.map_or(String::new(), |percent| format!(" {}", change(percent)));
    let current = verdict.candidate.as_ref().map_or(String::new(), |estimate| format!(", {}", scale.show(estimate.value)));
    let color = if verdict.verdict == Verdict::Regression { BAD } else { INK };
    let text = format!("{}{moved}{current}", words::verdict(verdict.verdict));
    // Right-aligned by the usual width of a letter: the exact one is the backend's secret.
    let width = 7 * text.chars().count() as i32;
    write_text(area, &text, (area.dim_in_pixel().0 as i32 - 24 - width, 10), 14, color)
}

/// A series with its commits numbered from 0, without those that did not measure it, and its values in one unit.
struct Panel<'a> {
    series: &'a SeriesHistory,
    places: Vec<usize>,
    scale: Scale,
}

impl<'a> Panel<'a> {
    fn of(series: &'a SeriesHistory) -> Self {
        let mut places: Vec<usize> = series.points.iter().map(|point| point.commit).collect();
        places.dedup();
        let typical = series.points.last().map_or(0.0, |point| point.value);
        Self { series, places, scale: Scale::for_value(typical, &series.metric.unit) }
    }

    fn at(&self, commit: usize) -> f64 {
        self.places.partition_point(|place| *place < commit).min(self.places.len().saturating_sub(1)) as f64
    }

    /// What stands below these places of the axis: the day, and where the place before has the same day, the commit.
    fn marks(&self, places: &[f64], commits: &Commits) -> Vec<(f64, String)> {
        let mut last_day = None;
        let whole = places.iter().filter(|place| **place >= 0.0 && (**place - place.round()).abs() < 1e-6);
        let with_commit = whole.filter_map(|place| Some((*place, commits.at(*self.places.get(place.round() as usize)?)?)));
        let mark = with_commit.map(|(place, commit)| {
            let day = commit.time.format("%Y-%m-%d").to_string();
            let is_new = last_day.replace(day.clone()).is_none_or(|last| last != day);
            (place, if is_new { day } else { commit.id.short(SHORT_ID) })
        });
        mark.collect()
    }

    /// The band of noise around the ratchet line, as a share of it.
    fn noise(&self) -> Option<f64> {
        self.series.verdict.as_ref()?.reasons.noise_percent.map(|percent| 2.0 * percent / 100.0)
    }

    fn value_range(&self) -> (f64, f64) {
        let values = self.series.points.iter().map(|point| point.value).chain(self.series.ratchet.iter().map(|step| step.value));
        let (low, high) = values
            .map(|value| self.scale.scaled(value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let least = (low.abs().max(high.abs()) * LEAST_RANGE).max(f64::MIN_POSITIVE * 1e6);
        let range = (high - low).max(least);
        let middle = f64::midpoint(low, high);
        let half = range * (0.5 + HEADROOM);
        (if low >= 0.0 { (middle - half).max(0.0) } else { middle - half }, middle + half)
    }

    /// The corners of the ratchet line, from one step to the next and on to the last commit.
    fn ratchet(&self, factor: f64) -> Vec<(f64, f64)> {
        let end = self.places.len() as f64 - 0.5;
        let mut corners = Vec::new();
        for (at, step) in self.series.ratchet.iter().enumerate() {
            let value = self.scale.scaled(step.value * factor);
            let next = self.series.ratchet.get(at + 1).map_or(end, |next| self.at(next.commit));
            corners.extend([(self.at(step.commit), value), (next, value)]);
        }
        corners
    }

    fn draw_on<B: DrawingBackend>(&self, chart: &mut ChartContext<'_, B, Axes>) -> io::Result<()> {
        if let Some(noise) = self.noise() {
            let mut outline = self.ratchet(1.0 + noise);
            outline.extend(self.ratchet(1.0 - noise).into_iter().rev());
            chart.draw_series([Polygon::new(outline, RATCHET.mix(0.10).filled())]).map_err(failed)?;
        }
        line(chart, self.ratchet(1.0), RATCHET.stroke_width(2))?;
        if self.series.levels.len() > 1 {
            for level in &self.series.levels {
                let value = self.scale.scaled(level.value);
                line(chart, vec![(self.at(level.from) - 0.5, value), (self.at(level.to) + 0.5, value)], LEVEL.stroke_width(1))?;
            }
        }
        let (low, high) = self.value_range();
        for mark in &self.series.excuses {
            let at = self.at(mark.commit);
            line(chart, vec![(at, low), (at, high)], EXCUSE.stroke_width(1))?;
        }
        let radius = if self.places.len() > 300 { 1 } else { 3 };
        let dot = |point: &Point| {
            let style = if point.standing == Standing::Counts { RUN.filled() } else { RUN.stroke_width(1) };
            Circle::new((self.at(point.commit), self.scale.scaled(point.value)), radius, style)
        };
        chart.draw_series(self.series.points.iter().map(dot)).map_err(failed)?;
        if let Some((verdict, newest)) = self.series.verdict.as_ref().zip(self.series.points.last()) {
            // The judged commit is the newest; one that was not measured has no run to mark.
            let place = (self.at(newest.commit), self.scale.scaled(newest.value));
            let marked = verdict.candidate.is_some().then(|| Circle::new(place, 5, verdict_color(verdict.verdict).filled()));
            chart.draw_series(marked).map_err(failed)?;
        }
        Ok(())
    }
}

fn verdict_color(verdict: Verdict) -> RGBColor {
    match verdict {
        Verdict::Regression => BAD,
        Verdict::Improvement => RATCHET,
        Verdict::Undecided | Verdict::NotMeasured => LEVEL,
        Verdict::Pass | Verdict::New => RUN,
    }
}

fn line<B: DrawingBackend>(chart: &mut ChartContext<'_, B, Axes>, corners: Vec<(f64, f64)>, style: ShapeStyle) -> io::Result<()> {
    if !corners.is_empty() {
        chart.draw_series([PathElement::new(corners, style)]).map_err(failed)?;
    }
    Ok(())
}
