//! A file of results from anywhere, in any format: the first byte names it, or asks for it to be found out. Criterion's is a folder:
//! its three files stand one after the other, parted by the byte 0.
//!
//! Whatever comes out has passed the one gate: it can be recorded, and is read back from its line as it was.

#![no_main]

use std::fs;

use git_ratchet::codec::{Entry, Note};
use git_ratchet::import::{Format, ImportError, ImportOptions, Imported, import, import_path};
use git_ratchet::model::{BenchmarkName, LineId, Record};
use libfuzzer_sys::fuzz_target;

const CRITERION: [&str; 3] = ["benchmark.json", "estimates.json", "sample.json"];

fn folder(bytes: &[u8], options: &ImportOptions) -> Result<Imported, ImportError> {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("group/function/new");
    fs::create_dir_all(&folder).unwrap();
    for (name, content) in CRITERION.iter().zip(bytes.splitn(3, |byte| *byte == 0)) {
        fs::write(folder.join(name), content).unwrap();
    }
    import_path(root.path(), options)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else { return };
    let format = Format::ALL.get(usize::from(*first)).copied();
    let options = ImportOptions { format, unnamed: BenchmarkName::new("unnamed").ok(), ..ImportOptions::default() };
    let imported = if format == Some(Format::Criterion) { folder(content, &options) } else { import(content, &options) };
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let run = LineId::from_parts(1, 0);
    for (number, measured) in (2_u64..).zip(imported.measurements) {
        measured.summary.check(&measured.metric.unit).unwrap();
        let line = Entry::Record(Record::new(LineId::from_parts(number, 0), run, measured)).encode();
        let note = Note::decode(line.as_bytes());
        assert_eq!((note.records.len(), note.unreadable), (1, Vec::new()), "{line}");
    }
});
