//! Progress on stderr: a bar with the current estimate on a terminal, plain lines otherwise.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;

/// The bar has this many steps for each point, so that a long one is seen to move.
const STEPS: u64 = 100;

/// Room for the name of a point beside the news of it, on a terminal of 80 columns.
const NAME_WIDTH: usize = 28;

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
            let bar = ProgressBar::with_draw_target(Some(total * STEPS), ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{bar:10} {prefix} {wide_msg}");
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
                bar.set_prefix(format!("{}/{}", self.done + 1, self.total));
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
            bar.set_message(format!("{}: {estimate}{left}", shortened(name)));
            bar.tick();
        }
    }

    /// How much of the running point is done, from 0 to 1.
    pub fn advance(&self, share: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.done * STEPS + (share.clamp(0.0, 1.0) * STEPS as f64) as u64);
        }
    }

    /// A point is over, well or not.
    pub fn end(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done * STEPS);
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A name without its middle where it is long: points of one benchmark differ at the end.
fn shortened(name: &str) -> String {
    let safe = escape::terminal(name);
    let count = safe.chars().count();
    if count <= NAME_WIDTH {
        return safe.into_owned();
    }
    let (head, tail) = (NAME_WIDTH / 2, NAME_WIDTH - NAME_WIDTH / 2 - 1);
    safe.chars().take(head).chain(['…']).chain(safe.chars().skip(count - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_ends() {
        assert_eq!(shortened("sort [N=8]"), "sort [N=8]");
        let long = shortened("attention/forward of many heads [B=32 H=8 S=512 D=64]");
        assert_eq!(long, "attention/forw…8 S=512 D=64]");
        assert_eq!(long.chars().count(), NAME_WIDTH);
    }
}
