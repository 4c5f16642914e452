//! News of the harness, shown by the report's progress line.

use std::io::Write;

use crate::harness::{Event, Progress};
use crate::report::number::{quantity, significant};
use crate::report::progress::ProgressLine;
use crate::report::words::point_name;

/// Passes events on to a progress line.
pub struct ShownProgress<'a> {
    line: &'a mut ProgressLine,
    err: &'a mut dyn Write,
    point: String,
    /// What the user should know, each with the name of its point.
    pub remarks: Vec<String>,
}

impl<'a> ShownProgress<'a> {
    /// Shows on `line`, or on `err` where that is no terminal.
    pub fn new(line: &'a mut ProgressLine, err: &'a mut dyn Write) -> Self {
        Self { line, err, point: String::new(), remarks: Vec::new() }
    }
}

impl Progress for ShownProgress<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::PointStarted { benchmark, config } => {
                self.point = point_name(benchmark, config);
                // Progress that cannot be shown must not stop the measurement.
                let _ = self.line.begin(self.err, &self.point);
            }
            Event::Remark { text } => self.remarks.push(format!("{}: {text}", self.point)),
            Event::WarmedUp { taken } => self.line.update(&self.point, &format!("warming up ({taken})"), None),
            Event::SampleTaken { taken, estimate, remaining } => {
                let text = estimate.map_or_else(String::new, |estimate| {
                    let width =
                        estimate.half_width_percent.map_or(String::new(), |percent| format!(" ±{} %", significant(percent, 2)));
                    format!("{}{width}, ", quantity(estimate.median, &estimate.metric.unit))
                });
                self.line.update(&self.point, &format!("{text}{taken} runs"), remaining);
            }
            Event::PointDone { .. } | Event::PointFailed => self.line.end(),
            Event::Unavailable { .. } | Event::Warning { .. } => {}
        }
    }
}
