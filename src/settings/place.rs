//! Where a benchmark stands in the settings file. Not part of [`super::Settings`]: a benchmark that only moved in the file is
//! the same benchmark.

use serde::Deserialize;
use toml::Spanned;

use crate::model::BenchmarkName;

#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    benchmark: Vec<Spanned<Named>>,
    #[serde(default)]
    suite: Vec<Spanned<Named>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The 1-based line where the `[[benchmark]]` or `[[suite]]` of this name begins; `None` where there is none, or the file is no TOML.
pub fn line_of_benchmark(file: &[u8], name: &BenchmarkName) -> Option<usize> {
    let text = std::str::from_utf8(file).ok().filter(|text| text.len() <= super::MAX_FILE_BYTES)?;
    let tables: Tables = toml::from_str(text).ok()?;
    let table = tables.benchmark.iter().chain(&tables.suite).find(|table| table.as_ref().name == name.as_str())?;
    Some(text.get(..table.span().start)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_begins_at_its_table() {
        let file = b"base = \"main\"\n\n[[benchmark]]\nname = \"a\"\n\n[[benchmark]]\n# the second\nname = \"b\"\n[benchmark.sampling]\nmin_runs = 3\n[[suite]]\nname = \"d\"\n";
        let line = |name: &str| line_of_benchmark(file, &BenchmarkName::new(name).unwrap());
        assert_eq!((line("a"), line("b"), line("c"), line("d")), (Some(3), Some(6), None, Some(11)));
        assert_eq!(line_of_benchmark(b"[[benchmark", &BenchmarkName::new("a").unwrap()), None);
    }
}
