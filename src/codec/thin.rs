//! Records without their samples: smaller lines that say the same to everything but a look at a distribution.
//!
//! A thinned line keeps its id and all else that it says, and says the statistics that a reader took from the sample. Where
//! the line with the sample comes back, from a clone that still has it, both stand in the note: then the one with the sample
//! counts, and the other says nothing new.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::note::{decode_line, sorted_lines};
use super::{Entry, Note, union, v1};
use crate::model::{Record, Run};

/// A note after thinning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thinned {
    /// Its bytes.
    pub note: Vec<u8>,
    /// How many records lost their samples.
    pub records: usize,
    /// How many kept them although they were old enough, since they are held.
    pub held: usize,
}

/// What becomes of a record's sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes.
    Goes,
    /// It would go, but is needed.
    Held,
    /// It stays.
    Stays,
}

/// Takes the samples of some records away, where that makes their lines shorter. Only what this version wrote, or wrote alike, is touched; every other line stays as
/// it is, byte for byte.
pub fn thin(note: &[u8], fate: impl Fn(&Record, &Run) -> Fate) -> Thinned {
    let runs = Note::decode(note).runs;
    let (mut lines, mut records, mut held) = (Vec::new(), 0, 0);
    for line in sorted_lines([note]) {
        let fate = match decode_line(line) {
            Ok(Entry::Record(record)) => {
                runs.iter().find(|run| run.id == record.run).map_or(Fate::Stays, |run| fate(&record, run))
            }
            _ => Fate::Stays,
        };
        // What is said in place of a few values is longer than they are.
        let shorter = without_sample(line).filter(|thinned| thinned.len() < line.len());
        match (fate, shorter) {
            (Fate::Goes, Some(thinned)) => {
                records += 1;
                lines.push(Cow::Owned(thinned));
            }
            (fate, thinned) => {
                held += usize::from(fate == Fate::Held && thinned.is_some());
                lines.push(Cow::Borrowed(line));
            }
        }
    }
    Thinned { note: union(lines.iter().map(AsRef::as_ref)), records, held }
}

/// Of two lines with the same id, whether they are one record with and without its sample: `Greater` where the first one has it.
pub(super) fn twins(first: &[u8], second: &[u8]) -> Option<Ordering> {
    if without_sample(first).is_some_and(|thinned| thinned == second) {
        Some(Ordering::Greater)
    } else if without_sample(second).is_some_and(|thinned| thinned == first) {
        Some(Ordering::Less)
    } else {
        None
    }
}

/// A record's line without its sample, all other values as they are written, and behind the median what followed from the
/// sample; `None` where it has none.
fn without_sample(line: &[u8]) -> Option<Vec<u8>> {
    if v1::own_kind(line) != Some("record") {
        return None;
    }
    let Fields(fields) = serde_json::from_slice(line).ok()?;
    let others = fields.iter().filter(|(name, _)| name != "sample");
    if others.clone().count() == fields.len() {
        return None;
    }
    let left = v1::left_to_sample(line)?;
    // A field without a value says no more than one that is left out.
    let is_replaced = |name: &str| left.iter().any(|(left, _)| *left == name);
    let mut thinned = Vec::with_capacity(line.len());
    for (name, value) in others.filter(|(name, _)| !is_replaced(name)) {
        put(&mut thinned, name, value.get())?;
        if name == "median" {
            left.iter().try_for_each(|(name, value)| put(&mut thinned, name, value))?;
        }
    }
    thinned.push(b'}');
    Some(thinned)
}

fn put(object: &mut Vec<u8>, name: &str, value: &str) -> Option<()> {
    object.push(if object.is_empty() { b'{' } else { b',' });
    serde_json::to_writer(&mut *object, name).ok()?;
    object.push(b':');
    object.extend_from_slice(value.as_bytes());
    Some(())
}

/// An object as it is written: names in their order, values as their bytes.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
