//! The CSV of `ncu --csv`: one row for each launch (`--page raw`), or one for each counter of each launch.
//!
//! Lines of the profiler (`==PROF== …`) and of the profiled program may stand anywhere between, so each line is read by
//! itself, and a row counts only where it has as many cells as the header above it. A header may come again, as it
//! does where several processes were profiled. What is no number (`n/a`) is no counter.

use std::collections::BTreeMap;

use super::number::Decimal;
use super::unit;
use crate::model::Counter;

/// One profiled launch with every counter that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The name of the kernel as the profiler gives it.
    pub kernel: String,
    /// The counters in base units, by the profiler's names.
    pub counters: BTreeMap<String, Counter>,
}

/// Why a text is not the CSV of a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// No line is a header.
    #[error("there is no table in it")]
    NoHeader,
    /// A header, and nothing below it.
    #[error("its table has no rows")]
    NoRows,
    /// Rows, and no number in them.
    #[error("its table has no numbers")]
    NoNumbers,
}

/// Reads the launches, in the order in which they stand.
///
/// # Errors
/// There is no table, or nothing in it.
pub fn read(text: &str) -> Result<Vec<Launch>, CsvError> {
    let tables = tables(text);
    if tables.is_empty() {
        return Err(CsvError::NoHeader);
    }
    if tables.iter().all(|table| table.rows.is_empty()) {
        return Err(CsvError::NoRows);
    }
    let decimal = Decimal::of(tables.iter().flat_map(Table::values));
    let launches: Vec<Launch> = tables.iter().flat_map(|table| table.launches(decimal)).collect();
    if launches.iter().all(|launch| launch.counters.is_empty()) {
        return Err(CsvError::NoNumbers);
    }
    Ok(launches)
}

/// A header and the rows that fit it.
struct Table {
    header: Header,
    /// The row of units below a wide header.
    units: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

/// Where things stand in a row.
struct Header {
    cells: usize,
    id: Option<usize>,
    process: Option<usize>,
    kernel: Option<usize>,
    shape: Shape,
}

enum Shape {
    /// One counter in each row.
    Long { name: usize, unit: Option<usize>, value: usize },
    /// One launch in each row: the columns that are counters, with their names.
    Wide(Vec<(usize, String)>),
}

fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("==")) {
        let Some(cells) = cells(line) else { continue };
        if let Some(header) = Header::read(&cells) {
            tables.push(Table { header, units: None, rows: Vec::new() });
        } else if let Some(table) = tables.last_mut() {
            table.take(cells);
        }
    }
    tables
}

/// The cells of one line; `None` where it is no CSV, or plainly something else.
fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
    if !line.contains([',', ';']) {
        return None;
    }
    let mut record = ::csv::StringRecord::new();
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let is_there = reader.read_record(&mut record).ok()?;
    (is_there && record.len() > 1).then(|| record.iter().map(str::to_owned).collect())
}

/// Names of counters have two underscores; no other column does.
fn is_counter_name(cell: &str) -> bool {
    cell.contains("__") && !cell.contains(char::is_whitespace)
}

impl Header {
    fn read(cells: &[String]) -> Option<Self> {
        let place = |name: &str| cells.iter().position(|cell| cell.trim() == name);
        let shape = match (place("Metric Name"), place("Metric Value")) {
            (Some(name), Some(value)) => Shape::Long { name, unit: place("Metric Unit"), value },
            _ => {
                place("Kernel Name")?;
                let counters = cells.iter().enumerate().filter(|(_, cell)| is_counter_name(cell));
                let counters: Vec<(usize, String)> = counters.map(|(at, cell)| (at, cell.clone())).collect();
                (!counters.is_empty()).then_some(Shape::Wide(counters))?
            }
        };
        Some(Self { cells: cells.len(), id: place("ID"), process: place("Process ID"), kernel: place("Kernel Name"), shape })
    }
}

impl Table {
    fn take(&mut self, cells: Vec<String>) {
        if cells.len() != self.header.cells {
            return;
        }
        let id = self.header.id.map(|at| cells[at].trim());
        if id.is_none_or(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())) {
            self.rows.push(cells);
        } else if id == Some("") && self.rows.is_empty() {
            self.units = Some(cells);
        }
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        let columns: Vec<usize> = match &self.header.shape {
            Shape::Long { value, .. } => vec![*value],
            Shape::Wide(counters) => counters.iter().map(|(at, _)| *at).collect(),
        };
        self.rows.iter().flat_map(move |row| columns.clone().into_iter().map(|at| row[at].as_str()).collect::<Vec<_>>())
    }

    fn launches(&self, decimal: Decimal) -> Vec<Launch> {
        match &self.header.shape {
            Shape::Wide(counters) => self.rows.iter().map(|row| self.wide(row, counters, decimal)).collect(),
            Shape::Long { name, unit, value } => self.long((*name, *unit, *value), decimal),
        }
    }

    fn wide(&self, row: &[String], columns: &[(usize, String)], decimal: Decimal) -> Launch {
        let unit_of = |at: usize| self.units.as_ref().map_or("", |units| units[at].as_str());
        let counters = columns
            .iter()
            .filter_map(|(at, name)| Some((name.clone(), unit::counter(decimal.read(&row[*at])?, unit_of(*at)))))
            .collect();
        Launch { kernel: self.kernel(row), counters }
    }

    /// Rows of one launch share process and id, and stand together.
    fn long(&self, (name, unit, value): (usize, Option<usize>, usize), decimal: Decimal) -> Vec<Launch> {
        let key = |row: &[String]| [self.header.process, self.header.id].map(|at| at.map(|at| row[at].clone()));
        let mut launches: Vec<(_, Launch)> = Vec::new();
        for row in &self.rows {
            if launches.last().is_none_or(|(last, _)| *last != key(row)) {
                launches.push((key(row), Launch { kernel: self.kernel(row), counters: BTreeMap::new() }));
            }
            let unit = unit.map_or("", |at| row[at].as_str());
            if let (Some((_, launch)), Some(number)) = (launches.last_mut(), decimal.read(&row[value])) {
                launch.counters.insert(row[name].trim().to_owned(), unit::counter(number, unit));
            }
        }
        launches.into_iter().map(|(_, launch)| launch).collect()
    }

    fn kernel(&self, row: &[String]) -> String {
        self.header.kernel.map_or_else(String::new, |at| row[at].clone())
    }
}
