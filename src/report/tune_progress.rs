//! Progress of a search on stderr: a bar over the valid points with the best so far on a terminal, a line for each better
//! point otherwise.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;
use super::number::{change, quantity};
use super::tune_text::duration;
use crate::model::Unit;

/// Shows how far a search has come.
pub struct TuneProgress {
    bar: Option<ProgressBar>,
    total: usize,
    best: Option<f64>,
    best_words: String,
}

impl TuneProgress {
    /// For a space of `total` valid points; `draw` says whether stderr is a terminal.
    pub fn new(total: usize, draw: bool) -> Self {
        let bar = draw.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} points {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, total, best: None, best_words: String::new() }
    }

    /// So many points are done; the best has this time, and the default that one.
    pub fn done(
        &mut self,
        err: &mut dyn Write,
        done: usize,
        (best, default): (Option<(f64, &str)>, Option<f64>),
        left: Duration,
    ) -> io::Result<()> {
        if let Some((seconds, point)) = best
            && self.best.is_none_or(|known| seconds < known)
        {
            self.best = Some(seconds);
            let gain = default.map(|default| format!(" ({})", change(100.0 * (1.0 - seconds / default)))).unwrap_or_default();
            self.best_words = format!("best {}{gain}", quantity(seconds, &Unit::SECOND));
            if self.bar.is_none() {
                let point = escape::terminal_short(point, 120);
                writeln!(err, "[{done}/{}] {}: {point}", self.total, self.best_words)?;
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_message(format!("{}, {} left", self.best_words, duration(left.as_secs_f64())));
        }
        Ok(())
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
