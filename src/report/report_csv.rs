//! `report --format csv`: one row for each run of each series, for spreadsheets and data frames (docs/report-json.md).

use std::io::{self, Write};

use super::overview::{Overview, Point, SeriesHistory};

/// The columns. New ones are only ever added at the end.
const HEADER: [&str; 16] = [
    "benchmark",
    "config",
    "metric",
    "unit",
    "better",
    "testbed",
    "commit",
    "time",
    "author",
    "subject",
    "value",
    "low",
    "high",
    "n",
    "standing",
    "verdict",
];

/// Writes the header and the rows, series by series, oldest run first.
pub fn report(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER).map_err(io_error)?;
    for series in &overview.series {
        for point in &series.points {
            writer.write_record(row(overview, series, point)).map_err(io_error)?;
        }
    }
    writer.flush()
}

fn row(overview: &Overview, series: &SeriesHistory, point: &Point) -> [String; 16] {
    let commit = overview.commits.at(point.commit);
    // The newest commit is the one that the verdict is about.
    let is_judged = commit.is_some_and(|commit| commit.id == overview.judgement.candidate);
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    [
        text(series.key.benchmark.as_str()),
        text(&series.key.config.to_string()),
        text(series.metric.name.as_str()),
        text(series.metric.unit.symbol()),
        series.metric.better.as_str().to_owned(),
        text(&series.key.testbed),
        commit.map_or_else(String::new, |commit| commit.id.to_string()),
        commit.map_or_else(String::new, |commit| commit.time.to_rfc3339()),
        commit.map_or_else(String::new, |commit| text(&commit.author)),
        commit.map_or_else(String::new, |commit| text(&commit.subject)),
        point.value.to_string(),
        number(point.low),
        number(point.high),
        point.n.to_string(),
        point.standing.as_str().to_owned(),
        if is_judged { series.status().to_owned() } else { String::new() },
    ]
}

/// A stranger's text as a cell: what a spreadsheet would run as a formula becomes plain text.
fn text(text: &str) -> String {
    let safe = super::escape::terminal(text);
    if safe.starts_with(['=', '+', '-', '@']) { format!("'{safe}") } else { safe.into_owned() }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
