//! The tree that divan prints, of one benchmark program or several.
//!
//! The path from the program down to the leaf is the name, parted by `::` as divan's own filter has it: `parse::words::64`. Median, mean,
//! fastest and slowest are rounded to four digits there. The rates of its counters follow from the time; what its allocator counted is
//! read of the largest live total and of what was allocated.

use super::collect::{Collector, Point, Reading, entry, known_metric};
use super::json::short;
use super::source::{Importer, Source};
use super::text::{duration, number, of_times, without_colours};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, Quantity, Summary, Unit};

pub(super) struct Divan;

const HEADERS: [&str; 5] = ["slowest", "median", "mean", "samples", "iters"];
/// Deeper trees than anybody writes.
const MAX_DEPTH: usize = 64;

impl Importer for Divan {
    fn format(&self) -> Format {
        Format::Divan
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.lines().any(|(_, line)| line.contains("fastest") && header(&without_colours(line)).is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("divan".to_owned());
        let mut tree = Tree::default();
        for (number, line) in source.lines() {
            tree.take(&format!("line {number}"), without_colours(line).trim_end(), into)?;
        }
        Ok(())
    }
}

/// The program's name and the column, in characters, in which `fastest` begins.
fn header(line: &str) -> Option<(&str, usize)> {
    let (rest, cells) = cells(line)?;
    let (program, empty) = rest.split_once("fastest")?;
    (cells == HEADERS && empty.trim().is_empty()).then(|| (program.trim(), program.chars().count()))
}

/// What stands before the second column, and the other columns.
fn cells(line: &str) -> Option<(&str, [&str; 5])> {
    let mut from_the_end = line.rsplitn(6, '│').map(str::trim);
    let [iterations, samples, mean, median, slowest] = std::array::from_fn(|_| from_the_end.next());
    let rest = line.rmatch_indices('│').nth(4).map(|(start, _)| &line[..start])?;
    Some((rest, [slowest?, median?, mean?, samples?, iterations?]))
}

#[derive(Default)]
struct Tree {
    /// Where the column of the fastest begins; zero before the first header.
    column: usize,
    path: Vec<String>,
    leaf: Option<(Point, u64)>,
    /// The count of the allocator whose rows these are, and how many rows of it were read.
    counting: Option<(&'static str, u8)>,
}

impl Tree {
    fn take(&mut self, at: &str, line: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
        if let Some((program, column)) = header(line) {
            *self = Self { column, path: vec![program.to_owned()], ..Self::default() };
            return Ok(());
        }
        let Some((rest, columns)) = cells(line).filter(|_| self.column > 0) else { return Ok(()) };
        let split = rest.char_indices().nth(self.column).map_or(rest.len(), |(start, _)| start);
        let (branch, fastest) = (&rest[..split], rest[split..].trim());
        let Some(start) = ["├─ ", "╰─ "].iter().find_map(|edge| branch.find(edge)) else {
            return self.counter(at, fastest, columns, into);
        };
        let depth = branch[..start].chars().count() / 3 + 1;
        self.path.truncate(depth.min(MAX_DEPTH));
        self.path.push(branch[start..].trim_start_matches(['├', '╰', '─', ' ']).trim_end().to_owned());
        (self.leaf, self.counting) = (None, None);
        self.open(at, fastest, columns, into)
    }

    /// A row with a name: a leaf where there are times in it.
    fn open(&mut self, at: &str, fastest: &str, columns: [&str; 5], into: &mut Collector<'_>) -> Result<(), ImportError> {
        let [slowest, median, mean, samples, _] = columns;
        let name = self.path.join("::");
        if fastest == "(ignored)" {
            into.warnings.push(ImportWarning::Skipped { at: entry(at, &name), reason: "it is ignored".to_owned() });
        }
        let Some(time) = duration(&minutes(median)) else { return Ok(()) };
        let point = into.point(at, &name, Vec::new())?;
        let n = number(samples).map_or(1, |samples| samples as u64);
        let of = |cell: &str| duration(&minutes(cell));
        let summary = of_times(Summary { n, mean: of(mean), min: of(fastest), max: of(slowest), ..Summary::single(time) });
        into.add_possible(&entry(at, &name), &point, Metric::time(), Reading::Statistics(summary))?;
        self.leaf = Some((point, n));
        Ok(())
    }

    /// A row below a leaf: a rate, or what the allocator counted.
    fn counter(&mut self, at: &str, fastest: &str, columns: [&str; 5], into: &mut Collector<'_>) -> Result<(), ImportError> {
        let Some((point, n)) = self.leaf.clone() else { return Ok(()) };
        if let Some(label) = fastest.strip_suffix(':') {
            self.counting = Some((label_of(label), 0));
            return Ok(());
        }
        let [slowest, median, mean, ..] = columns;
        let metric = match &mut self.counting {
            Some((_, rows)) if *rows >= 2 => return Ok(()),
            Some((label, rows)) => {
                *rows += 1;
                let (suffix, unit) = if *rows == 1 { ("s", "{allocs}") } else { ("_bytes", "B") };
                let unit = Quantity::new(1.0, unit).map_or(Unit::ONE, |one| one.unit);
                if label.is_empty() {
                    return Ok(());
                }
                known_metric(at, &format!("{label}{suffix}"), unit, Direction::Lower)?
            }
            None => match rate(median) {
                Some((name, unit, _)) => known_metric(at, name, unit, Direction::Higher)?.following(&Metric::time().name),
                None => {
                    into.left_out(at, format!("`{}`", short(median)), "its unit is not known");
                    return Ok(());
                }
            },
        };
        let value = |cell: &str| if self.counting.is_some() { counted(cell) } else { rate(cell).map(|(_, _, value)| value) };
        let Some(middle) = value(median) else { return Ok(()) };
        let ends = [value(fastest), value(slowest)].map(|end| end.unwrap_or(middle));
        let (min, max) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let summary = Summary { n, mean: value(mean), min: Some(min), max: Some(max), ..Summary::single(middle) };
        into.add_possible(&entry(at, &self.path.join("::")), &point, metric, Reading::Statistics(summary))
    }
}

/// The counts of the allocator that are read; empty for the others.
fn label_of(label: &str) -> &'static str {
    match label {
        "max alloc" => "max_alloc",
        "alloc" => "alloc",
        _ => "",
    }
}

/// divan writes minutes as `m`.
fn minutes(cell: &str) -> String {
    cell.strip_suffix(" m").map_or_else(|| cell.to_owned(), |value| format!("{value} min"))
}

/// `1`, `64 B`, `4.096 KB`.
fn counted(cell: &str) -> Option<f64> {
    let (value, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let known = Quantity::new(number(value)?, unit).ok();
    known.map(|quantity| quantity.value)
}

/// `79.75 GB/s`, `3.268 Gitem/s`, `2.1 Kchar/s`, `4.1 GHz`: metric, unit and value.
fn rate(cell: &str) -> Option<(&'static str, Unit, f64)> {
    const COUNTERS: [(&str, &str, &str); 4] = [
        ("item/s", "item_rate", "/s"),
        ("char/s", "char_rate", "{chars}/s"),
        ("B/s", "throughput", "B/s"),
        ("Hz", "frequency", "Hz"),
    ];
    let (value, spelled) = cell.split_once(' ')?;
    let (ending, name, unit) = COUNTERS.into_iter().find(|(ending, ..)| spelled.ends_with(ending))?;
    let scale = match spelled.strip_suffix(ending)? {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((name, Quantity::new(1.0, unit).ok()?.unit, number(value)? * scale))
}
