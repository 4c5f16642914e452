//! Version 1 of the stored lines. Frozen: this module reads what it has ever written.
//!
//! [`stored`] has the lines field by field, [`mod@write`] fills them and [`read`] checks them. Unknown fields are ignored, since
//! lines are kept as bytes and never written back from here.

mod read;
mod stored;
mod write;

use std::borrow::Cow;

use super::{Entry, Line, Unreadable};
use stored::Envelope;

pub(super) use read::{left_to_sample, load_config, load_machine_code, load_sample, with_what_follows};
pub(super) use stored::{Number, StoredSample};

const VERSION: u64 = 1;

/// The stored line of an entry.
pub(super) fn encode(entry: &Entry) -> String {
    let line = match entry {
        Entry::Run(run) => serde_json::to_string(&write::store_run(run)),
        Entry::Record(record) => serde_json::to_string(&write::store_record(record)),
        Entry::Profile(profile) => serde_json::to_string(&write::store_profile(profile)),
        Entry::Excuse(excuse) => serde_json::to_string(&write::store_excuse(excuse)),
    };
    // Strings, integers, finite numbers and string-keyed maps always serialise.
    line.unwrap_or_default()
}

/// The kind of a line that begins as this version writes it, which spares parsing the line twice.
pub(super) fn own_kind(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(br#"{"v":1,"type":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok().filter(|kind| ["run", "record", "profile", "excuse"].contains(kind))
}

/// Reads one line.
pub(super) fn decode(line: &[u8]) -> Line {
    let malformed = |error: serde_json::Error| Unreadable::Malformed(error.to_string());
    let kind = match own_kind(line) {
        Some(kind) => Cow::Borrowed(kind),
        None => {
            let envelope: Envelope = serde_json::from_slice(line).map_err(malformed)?;
            if envelope.v != VERSION {
                return Err(Unreadable::Newer);
            }
            envelope.kind
        }
    };
    let decoded = match kind.as_ref() {
        "run" => read::load_run(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Run),
        "record" => read::load_record(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Record),
        "profile" => read::load_profile(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Profile),
        "excuse" => read::load_excuse(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Excuse),
        _ => return Err(Unreadable::Newer),
    };
    decoded.map_err(Unreadable::Malformed)
}
