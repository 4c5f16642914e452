//! Progress on stderr: a bar with the current estimate on a terminal, plain lines otherwise.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;

/// Shows how far a list of points has come.
pub struct ProgressLine {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
}

impl ProgressLine {
    /// For `total` points; `draw` says whether stderr is a terminal.
    pub fn new(total: u64, draw: bool) -> Self {
        let bar = draw.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, total, done: 0 }
    }

    /// A point begins: on a terminal the bar's text, otherwise a line.
    pub fn begin(&mut self, err: &mut dyn Write, name: &str) -> io::Result<()> {
        let name = escape::terminal_short(name, 80);
        match &self.bar {
            Some(bar) => {
                bar.set_message(name);
                Ok(())
            }
            None => writeln!(err, "[{}/{}] {name}", self.done + 1, self.total),
        }
    }

    /// News of the running point; shown only on a terminal.
    pub fn update(&self, name: &str, estimate: &str, remaining: Option<Duration>) {
        if let Some(bar) = &self.bar {
            let left = remaining.map_or(String::new(), |time| format!(", {:.0} s left", time.as_secs_f64().ceil()));
            bar.set_message(format!("{}: {estimate}{left}", escape::terminal_short(name, 40)));
            bar.tick();
        }
    }

    /// A point is over, well or not.
    pub fn end(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
