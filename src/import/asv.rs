//! A result file of asv, `.asv/results/MACHINE/COMMIT-ENVIRONMENT.json`, version 2.
//!
//! The result is a median in seconds, or bytes; with `--record-samples` every time is there. What asv knows of a benchmark beside its results
//! stands in `benchmarks.json`, one folder up or in the same one: names of parameters and the unit of what `track_` functions return.
//! Without it parameters are called `param1`, as asv does, and what is tracked has no unit. asv writes `NaN` for a combination that it skipped, and
//! `null` for one that failed. Its intervals are of 99 %, which is not what a record keeps.

use serde_json::Value;

use super::collect::{Collector, Point, Reading, entry, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning, MAX_FILE_BYTES};
use crate::model::{Quantity, Summary};

pub(super) struct Asv;

impl Importer for Asv {
    fn format(&self) -> Format {
        Format::Asv
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.tolerant_value() else { return false };
        ["commit_hash", "params", "requirements", "results"].iter().all(|key| root.get(key).is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.tolerant_root()?;
        let version = root.need("version")?;
        if version.value.as_u64() != Some(2) {
            return Err(version.unexpected("version 2 of asv's results (`asv update` makes it)"));
        }
        into.tool = Some("asv".to_owned());
        into.facts.extend(root.get("params").and_then(|params| Some(("cpu".to_owned(), params.text_at("cpu")?.to_owned()))));
        let about = source.folder.and_then(about_benchmarks);
        let columns: Vec<&str> = root.need("result_columns")?.items()?.filter_map(|column| column.value.as_str()).collect();
        for (name, row) in root.need("results")?.fields()? {
            let about = about.as_ref().and_then(|about| about.get(name));
            Benchmark { name, row, columns: &columns, about }.read(into)?;
        }
        Ok(())
    }
}

/// `benchmarks.json`, where asv or whoever copied the results left it.
fn about_benchmarks(folder: &std::path::Path) -> Option<Value> {
    [folder.join("benchmarks.json"), folder.join("../benchmarks.json")].iter().find_map(|path| {
        let small = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE_BYTES);
        small.then(|| serde_json::from_slice(&std::fs::read(path).ok()?).ok()).flatten()
    })
}

struct Benchmark<'a> {
    name: &'a str,
    /// The values of the columns; a shorter row lacks the last ones.
    row: Node<'a>,
    columns: &'a [&'a str],
    about: Option<&'a Value>,
}

impl<'a> Benchmark<'a> {
    fn column(&self, name: &str) -> Option<Node<'a>> {
        let index = self.columns.iter().position(|column| *column == name)?;
        let cell = self.row.item(index)?;
        (!cell.value.is_null()).then_some(cell)
    }

    /// A column's value for one combination of parameters.
    fn cell(&self, column: &str, index: usize) -> Option<Node<'a>> {
        self.column(column)?.item(index).filter(|cell| !cell.value.is_null())
    }

    fn read(&self, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let at = entry(&self.row.at, self.name);
        let Some(results) = self.column("result") else {
            into.warnings.push(ImportWarning::Failed { at, reason: "there is no result".to_owned() });
            return Ok(());
        };
        let (metric, unit) = self.kind();
        let base = match Quantity::new(1.0, unit) {
            Ok(one) => one.unit,
            Err(_) => {
                into.left_out(&at, "the benchmark", format!("its unit `{}` is not known", short(unit)));
                return Ok(());
            }
        };
        let Some(metric) = into.side_metric(&at, metric, base)? else { return Ok(()) };
        let mut absent = 0;
        for (index, result) in results.items()?.enumerate() {
            let Some(parameters) = self.combination(index)? else {
                return Err(results.unexpected("as many results as there are combinations of parameters"));
            };
            if result.value.is_null() {
                absent += 1;
                continue;
            }
            let point: Point = into.point(&at, self.name, parameters)?;
            into.add_possible(&result.at, &point, metric.clone(), self.reading(index, &result, unit)?)?;
        }
        if absent > 0 {
            let reason = format!("{absent} of its results are not there: skipped or failed");
            into.warnings.push(ImportWarning::Skipped { at, reason });
        }
        Ok(())
    }

    fn reading(&self, index: usize, result: &Node<'_>, unit: &str) -> Result<Reading, ImportError> {
        let base = |node: &Node<'_>, value: f64| quantity(&node.at, value, unit).map(|quantity| quantity.value);
        if let Some(samples) = self.cell("samples", index) {
            let values: Vec<f64> = samples.numbers()?.into_iter().map(|value| base(&samples, value)).collect::<Result<_, _>>()?;
            if !values.is_empty() {
                return Ok(Reading::Values(values));
            }
        }
        let n = self.cell("stats_repeat", index).map_or(Ok(1), |repeat| repeat.count())?;
        Ok(Reading::Statistics(Summary { n, ..Summary::single(base(result, result.number()?)?) }))
    }

    /// The parameters of the result at a place: the last one changes fastest. `None` beyond the last combination.
    fn combination(&self, index: usize) -> Result<Option<Vec<(String, String)>>, ImportError> {
        let lists: Vec<Node<'a>> =
            self.column("params").map(|params| params.items()).transpose()?.into_iter().flatten().collect();
        let mut parameters = Vec::new();
        let mut rest = index;
        for (place, list) in lists.iter().enumerate().rev() {
            let values = list.value.as_array().filter(|values| !values.is_empty()).ok_or_else(|| list.unexpected("values"))?;
            let value = list.item(rest % values.len()).and_then(|value| value.scalar());
            let value = value.ok_or_else(|| list.unexpected("texts"))?;
            parameters.push((self.parameter_name(place), unquoted(&value).to_owned()));
            rest /= values.len();
        }
        parameters.reverse();
        Ok((rest == 0).then_some(parameters))
    }

    fn parameter_name(&self, place: usize) -> String {
        let named = self.about.and_then(|about| about.get("param_names")?.get(place)?.as_str());
        named.filter(|name| !name.is_empty()).map_or_else(|| format!("param{}", place + 1), str::to_owned)
    }

    /// Metric and unit: asv knows by how the function's name begins what it measures.
    fn kind(&self) -> (&'static str, &'a str) {
        let function = self.name.rsplit('.').next().unwrap_or(self.name);
        let said = self.about.and_then(|about| about.get("type")?.as_str());
        match said.unwrap_or_else(|| function.split_once('_').map_or("", |(kind, _)| kind)) {
            "time" | "timeraw" => ("time", "s"),
            "memory" | "mem" => ("memory", "B"),
            "peakmemory" | "peakmem" => ("peak_memory", "B"),
            _ => {
                let unit = self.about.and_then(|about| about.get("unit")?.as_str()).unwrap_or("unit");
                ("value", if unit == "unit" { "1" } else { unit })
            }
        }
    }
}

/// Texts are kept as Python writes them, `'list'`.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    inner.filter(|inner| !inner.contains(['\'', '\\'])).unwrap_or(value)
}
