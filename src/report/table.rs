//! Tables for the terminal, made with tabled: fitted to the width, coloured only where asked.

use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Modify, Padding, Style as TableStyle, Width};

/// How a text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Good news: green.
    Good,
    /// Bad news: red, bold.
    Bad,
    /// Needs a look: yellow.
    Warn,
    /// A removed line of a diff: red.
    Removed,
    /// Where a hunk of a diff lies: cyan.
    Place,
    /// Secondary: dimmed.
    Dim,
    /// A heading: bold.
    Strong,
}

/// Wraps `text` in the colour of `tone`, if colours are on.
pub fn paint(text: &str, tone: Tone, color: bool) -> String {
    let style = match tone {
        _ if !color => return text.to_owned(),
        Tone::Plain => return text.to_owned(),
        Tone::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Tone::Bad => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
        Tone::Warn => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Tone::Removed => Style::new().fg_color(Some(AnsiColor::Red.into())),
        Tone::Place => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
        Tone::Dim => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{}{text}{}", style.render(), style.render_reset())
}

/// A table under construction.
pub struct Table {
    builder: Builder,
    right: Vec<usize>,
    columns: usize,
}

impl Table {
    /// A table with these column headings.
    pub fn new(header: &[&str], color: bool) -> Self {
        let mut builder = Builder::default();
        builder.push_record(header.iter().map(|name| paint(name, Tone::Dim, color)));
        Self { builder, right: Vec::new(), columns: header.len() }
    }

    /// Aligns these columns to the right, as numbers are.
    pub fn right_align(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row; every text must be escaped already.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns);
        self.builder.push_record(cells);
    }

    /// The finished table, ended by a line feed; cells are cut where a terminal of `width` columns could not hold them.
    pub fn render(self, width: Option<usize>) -> String {
        let mut table = self.builder.build();
        table.with(TableStyle::empty()).with(Padding::new(0, 2, 0, 0));
        for column in self.right {
            table.with(Modify::new(Columns::one(column)).with(Alignment::right()));
        }
        if let Some(width) = width {
            table.with(Width::truncate(width.max(40)).suffix("…").priority(PriorityMax::right()));
        }
        let text = table.to_string();
        text.lines().fold(String::with_capacity(text.len()), |mut all, line| {
            all.push_str(line.trim_end());
            all.push('\n');
            all
        })
    }
}
