//! What `fetch`, `push`, `init` and the hook share: the repository without its settings, and counts in words.

use serde_json::{Value, json};

use super::context::Context;
use super::error::CommandError;
use crate::store::{OpenOptions, Store, Surplus};

/// Opens the repository. Its ratchet.toml is not read: notes travel even where that is broken.
pub fn open(context: &Context) -> Result<Store, CommandError> {
    Ok(Store::open(&OpenOptions { dir: context.dir.clone(), ..OpenOptions::default() })?)
}

/// How many records, and in how many notes: `3 records (7 lines) in 2 notes`.
pub fn counted(surplus: Surplus) -> String {
    let Surplus { lines, records, notes } = surplus;
    let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!("{} ({}) in {}", many(records, "record"), many(lines, "line"), many(notes, "note"))
}

/// The same for programs.
pub fn surplus(surplus: Surplus) -> Value {
    json!({ "records": surplus.records, "lines": surplus.lines, "notes": surplus.notes })
}
