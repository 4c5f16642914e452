//! What holds for every format: names of formats, detection, options, and reading within limits.

use std::collections::HashSet;

use super::super::IMPORTERS;
use super::super::source::Source;
use super::*;
use crate::model::BenchmarkName;

#[test]
fn words_of_formats_can_be_said_back() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse::<Format>(), Ok(format));
    }
    assert!("xml".parse::<Format>().unwrap_err().contains("hyperfine, criterion, cargo-criterion"));
}

#[test]
fn every_fixture_is_recognized_as_its_own_format_and_no_other() {
    for (name, format) in FIXTURES {
        let bytes = std::fs::read(fixture(name)).unwrap();
        assert_eq!(detect(&bytes), Some(format), "{name}");
        if format == Format::Cubin {
            continue; // no text
        }
        let source = Source::new(&bytes, None).unwrap();
        let known: Vec<Format> = IMPORTERS.iter().filter(|one| one.recognizes(&source)).map(|one| one.format()).collect();
        assert_eq!(known, [format], "{name}");
    }
    let files: HashSet<Format> = FIXTURES.into_iter().map(|(_, format)| format).collect();
    assert_eq!(files.len(), Format::ALL.len() - 1, "all but criterion's folder");
}

#[test]
fn one_name_for_all_entries_keeps_their_configs() {
    let benchmark = Some(BenchmarkName::new("seq").unwrap());
    let options = ImportOptions { benchmark, ..ImportOptions::default() };
    let imported = import_path(&fixture("hyperfine/v1.15.0.json"), &options).unwrap();
    let expected = ["seq | n=1 | time", "seq | n=1 | cpu_time", "seq | n=2 | time", "seq | n=2 | cpu_time"];
    assert_eq!(keys(&imported), expected);
    let bmf = import_path(&fixture("bmf/measures.json"), &options).unwrap_err().to_string();
    assert!(bmf.contains("`seq` latency stands in the file twice"), "{bmf}");
}

#[test]
fn a_format_that_was_asked_for_is_not_guessed() {
    let bytes = std::fs::read(fixture("hyperfine/v1.15.0.json")).unwrap();
    let options = ImportOptions { format: Some(Format::GoogleBenchmark), ..ImportOptions::default() };
    let said = import(&bytes, &options).unwrap_err().to_string();
    assert!(said.contains("no field `benchmarks`"), "{said}");
    let options = ImportOptions { format: Some(Format::Criterion), ..ImportOptions::default() };
    assert!(matches!(import(&bytes, &options), Err(ImportError::NeedsFolder)));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    let text = std::fs::read_to_string(fixture("go/small.txt")).unwrap();
    let marked = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    let (plain, marked) = (import_text(&text).unwrap(), import_text(&marked).unwrap());
    assert_eq!(plain.measurements, marked.measurements);
    assert_eq!(plain.facts, marked.facts);
}

#[test]
fn a_missing_file_is_named() {
    let said = import_path(Path::new("no/such/file.json"), &ImportOptions::default()).unwrap_err().to_string();
    assert!(said.starts_with("cannot read no/such/file.json: No such file"), "{said}");
}

#[test]
fn an_endless_input_is_cut_off() {
    let mut endless = std::io::repeat(b'a');
    let outcome = super::super::import_reader(&mut endless, &ImportOptions::default());
    assert!(matches!(outcome, Err(ImportError::TooLarge { .. })));
}

/// The marker stands where times are exact, the results perhaps where they are not.
#[test]
fn results_older_than_the_marker_are_left_out_as_far_as_their_file_system_tells() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, milliseconds: u64| {
        let file = std::fs::File::create(folder.path().join(name)).unwrap();
        std::io::Write::write_all(&mut &file, br#"[{"name":"a","unit":"us","value":1}]"#).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_millis(milliseconds)).unwrap();
        folder.path().join(name)
    };
    let options = ImportOptions { newer_than: Some(write("marker", 100_500)), ..ImportOptions::default() };
    for (milliseconds, is_taken) in [(100_600, true), (100_500, true), (100_400, false), (100_000, true), (99_000, false)] {
        let imported = import_path(&write("results.json", milliseconds), &options);
        assert_eq!(imported.is_ok(), is_taken, "{milliseconds} ms");
        assert!(is_taken || matches!(imported, Err(ImportError::NotWritten { .. })));
    }
}
