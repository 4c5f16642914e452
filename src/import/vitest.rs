//! `vitest bench --outputJson`.
//!
//! The name is the path that Vitest shows: file, groups, benchmark. Times are milliseconds; the single ones are there where
//! `benchmark.includeSamples` is set and no run was too short for the clock, else their statistics.

use super::collect::{Collector, Reading, entry, quantity};
use super::json::Node;
use super::source::{Importer, Source};
use super::text::of_times;
use super::{Format, ImportError, ImportWarning};
use crate::model::{Metric, Summary};

pub(super) struct Vitest;

impl Importer for Vitest {
    fn format(&self) -> Format {
        Format::Vitest
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let file = source.value().and_then(|root| root.get("files")?.get(0));
        file.is_some_and(|file| file.get("filepath").is_some() && file.get("groups").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("vitest".to_owned());
        for file in source.root()?.need("files")?.items()? {
            for group in file.need("groups")?.items()? {
                let path = group.need("fullName")?.text()?;
                for benchmark in group.need("benchmarks")?.items()? {
                    read_benchmark(&benchmark, path, into)?;
                }
            }
        }
        Ok(())
    }
}

fn read_benchmark(benchmark: &Node<'_>, path: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let name = format!("{path} > {}", benchmark.need("name")?.text()?);
    let at = entry(&benchmark.at, &name);
    let Some(mean) = benchmark.number_at("mean")? else {
        into.warnings.push(ImportWarning::Failed { at, reason: "it has no times".to_owned() });
        return Ok(());
    };
    let point = into.point(&benchmark.at, &name, Vec::new())?;
    let seconds = |milliseconds: f64| quantity(&at, milliseconds, "ms").map(|time| time.value);
    let sample = benchmark.get("samples").map(|samples| samples.numbers()).transpose()?.unwrap_or_default();
    let reading = if !sample.is_empty() && sample.iter().all(|time| *time > 0.0) {
        Reading::Values(sample.into_iter().map(seconds).collect::<Result<_, _>>()?)
    } else {
        let field = |key: &str| benchmark.number_at(key)?.map(seconds).transpose();
        Reading::Statistics(of_times(Summary {
            n: benchmark.get("sampleCount").map_or(Ok(1), |count| count.count())?,
            mean: Some(seconds(mean)?),
            stddev: field("sd")?,
            min: field("min")?,
            max: field("max")?,
            ..Summary::single(field("median")?.map_or_else(|| seconds(mean), Ok)?)
        }))
    };
    into.add_possible(&at, &point, Metric::time(), reading)
}
