//! Tables for the terminal, made with tabled: fitted to the width, coloured only where asked.

use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::{Peaker, PriorityMax};
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
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
    kept: Vec<usize>,
}

/// Which column is cut next where a terminal is too narrow: the widest of those that name things, as long as enough of it is
/// left to know it by; numbers and what is kept only after that.
struct NamesFirst {
    kept: Vec<usize>,
}

impl NamesFirst {
    /// So much of a name stays, with the space behind it.
    const ENOUGH: usize = 14;
}

impl Peaker for NamesFirst {
    fn peak(&mut self, mins: &[usize], widths: &[usize]) -> Option<usize> {
        let names = (0..widths.len()).filter(|column| !self.kept.contains(column) && widths[*column] > Self::ENOUGH);
        names.max_by_key(|column| widths[*column]).or_else(|| PriorityMax::right().peak(mins, widths))
    }
}

impl Table {
    /// A table with these column headings.
    pub fn new(header: &[&str], color: bool) -> Self {
        let header = header.iter().map(|name| paint(name, Tone::Dim, color)).collect();
        Self { header, rows: Vec::new(), right: Vec::new(), kept: Vec::new() }
    }

    /// Aligns these columns to the right, as numbers are.
    pub fn right_align(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Cuts this column only where nothing else is left to cut, as it does with numbers.
    pub fn keep(mut self, column: usize) -> Self {
        self.kept.push(column);
        self
    }

    /// Adds a row; every text must be escaped already.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.header.len());
        self.rows.push(cells);
    }

    /// The finished table, ended by a line feed. Where a terminal of `width` columns could not hold it, names lose first what all
    /// of them begin with, and then their ends.
    pub fn render(mut self, width: Option<usize>) -> String {
        let mut table = self.built();
        if let Some(width) = width.map(|width| width.max(40)).filter(|width| table.total_width() > width + GAP) {
            self.leave_out_shared_starts();
            table = self.built();
            let kept = [self.right, self.kept].concat();
            table.with(Width::truncate(width).suffix("…").priority(NamesFirst { kept }));
        }
        let text = table.to_string();
        text.lines().fold(String::with_capacity(text.len()), |mut all, line| {
            all.push_str(line.trim_end());
            all.push('\n');
            all
        })
    }
}

/// Spaces between columns.
const GAP: usize = 2;

impl Table {
    fn built(&self) -> tabled::Table {
        let mut builder = Builder::default();
        builder.push_record(&self.header);
        self.rows.iter().for_each(|row| builder.push_record(row));
        let mut table = builder.build();
        table.with(TableStyle::empty()).with(Padding::new(0, GAP, 0, 0));
        for column in &self.right {
            table.with(Modify::new(Columns::one(*column)).with(Alignment::right()));
        }
        table
    }

    /// What distinguishes names stands at their ends: `benches/parse.rs::` before all of them tells nothing.
    fn leave_out_shared_starts(&mut self) {
        let is_name = |column: &usize| !self.right.contains(column) && !self.kept.contains(column);
        for column in (0..self.header.len()).filter(is_name).collect::<Vec<_>>() {
            let shared = shared_start(self.rows.iter().map(|row| row[column].as_str()));
            if shared > '…'.len_utf8() {
                self.rows.iter_mut().for_each(|row| row[column].replace_range(..shared, "…"));
            }
        }
    }
}

/// How many bytes all of several texts begin with, up to the last sign that parts names; 0 where that is all of one.
fn shared_start<'t>(mut texts: impl Iterator<Item = &'t str>) -> usize {
    let Some(first) = texts.next() else { return 0 };
    let same = |text: &str| first.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
    let (least, shortest, count) = texts.fold((first.len(), first.len(), 1), |(least, shortest, count), text| {
        (least.min(same(text)), shortest.min(text.len()), count + 1)
    });
    let parted = first.as_bytes()[..least].iter().rposition(|byte| b"/:._ ".contains(byte)).map_or(0, |at| at + 1);
    if count > 1 && parted < shortest { parted } else { 0 }
}

/// A sentence behind `indent`, broken between words where it is wider than `width`; what follows stands two columns deeper.
pub fn wrapped(text: &str, indent: &str, width: Option<usize>) -> String {
    let mut lines = vec![indent.to_owned()];
    let mut used = indent.chars().count();
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        let is_full = width.is_some_and(|width| used + 1 + length > width);
        if at > 0 && is_full {
            lines.push(format!("{indent}  {word}"));
            used = indent.chars().count() + 2 + length;
            continue;
        }
        let space = if at > 0 { " " } else { "" };
        if let Some(line) = lines.last_mut() {
            line.push_str(space);
            line.push_str(word);
        }
        used += space.len() + length;
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        let text = "noise between runs 1.50 %; a loss is suspicious";
        assert_eq!(wrapped(text, "  ", None), format!("  {text}"));
        assert_eq!(wrapped(text, "  ", Some(30)), "  noise between runs 1.50 %; a\n    loss is suspicious");
        assert_eq!(wrapped("a_word_that_is_longer than", "", Some(4)), "a_word_that_is_longer\n  than");
    }

    #[test]
    fn names_give_way_to_numbers_and_verdicts() {
        let mut table = Table::new(&["benchmark", "config", "current", "verdict"], false).right_align(&[2]).keep(3);
        let row = ["flash_attention_forward_causal", "training_512_with_a_long_name", "67.65 ms", "regression (confirmed)"];
        table.row(row.map(str::to_owned).to_vec());
        let text = table.render(Some(70));
        assert!(text.contains("67.65 ms  regression (confirmed)"), "{text}");
        assert!(text.contains("flash_atte") && text.contains("training_5"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 70), "{text}");
    }

    #[test]
    fn names_lose_what_they_share_before_what_distinguishes_them() {
        let names = ["benchmarks/test_lib.py::test_total", "benchmarks/test_lib.py::test_join"];
        let table = || {
            let mut table = Table::new(&["benchmark", "metric", "current", "verdict"], false).right_align(&[2]).keep(3);
            names.iter().for_each(|name| table.row([name, "time", "67.65 ms", "regression"].map(str::to_owned).to_vec()));
            table
        };
        let narrow = table().render(Some(50));
        assert!(narrow.contains("…total     time") && narrow.contains("…join      time"), "{narrow}");
        assert!(names.iter().all(|name| table().render(Some(80)).contains(name)), "there is room");
        assert_eq!(shared_start(["same/x", "same/x"].into_iter()), 5);
        assert_eq!(shared_start(["same/", "same/"].into_iter()), 0);
        assert_eq!(shared_start(["äb/ö", "äb/ü", "äb"].into_iter()), 0);
        assert_eq!(shared_start(["only/one"].into_iter()), 0);
    }

    #[test]
    fn where_names_cannot_give_more_everything_does() {
        let mut table = Table::new(&["benchmark", "verdict"], false).keep(1);
        table.row(vec!["short".to_owned(), "regression ".repeat(6)]);
        assert!(table.render(Some(40)).lines().all(|line| line.chars().count() <= 40));
    }
}
