//! The lines as they are stored: the `Stored…` structs give the field order.
//!
//! Optional fields are left out when empty, so that a line says nothing twice.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{is_whole, rounded};

/// The part of a line that every version has.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) v: u64,
    #[serde(rename = "type")]
    pub(super) kind: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAuthor {
    pub(super) name: String,
    pub(super) email: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredRun {
    pub(super) v: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) time: String,
    pub(super) author: StoredAuthor,
    pub(super) tool: String,
    pub(super) commit: String,
    pub(super) tree: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) dirty: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    pub(super) testbed: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) facts: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredRecord {
    pub(super) v: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) run: String,
    pub(super) benchmark: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) config: Map<String, Value>,
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) better: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) exact: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) follows: Option<String>,
    pub(super) n: u64,
    pub(super) median: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) low: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) high: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mean: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stddev: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sample: Option<StoredSample>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<StoredWarning>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) barred: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine_code: Option<String>,
}

/// Ascending values: the first in ticks of `10^exp`, then the differences.
#[derive(Serialize, Deserialize)]
pub(in crate::codec) struct StoredSample {
    pub(super) exp: i32,
    pub(super) deltas: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredWarning {
    Outliers {
        mild: u64,
        severe: u64,
    },
    Drift {
        percent: f64,
    },
    WideInterval {
        percent: f64,
    },
    SlowFirst,
    TooShort,
    Throttled {
        dropped: u64,
    },
    #[serde(untagged)]
    Other(Value),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredProfile {
    pub(super) v: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) run: String,
    pub(super) benchmark: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) config: Map<String, Value>,
    pub(super) kernel: String,
    pub(super) launches: u64,
    pub(super) metrics: BTreeMap<String, StoredCounter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<StoredReport>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredCounter {
    pub(super) value: Number,
    pub(super) unit: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredReport {
    pub(super) path: String,
    pub(super) blob: String,
    pub(super) bytes: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredExcuse {
    pub(super) v: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) time: String,
    pub(super) author: StoredAuthor,
    pub(super) tree: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) benchmark: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metric: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) testbed: Option<String>,
    pub(super) reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<String>,
}

/// A stored number: whole numbers are written exactly, others with twelve significant digits, which is finer than any
/// clock and keeps notes small.
#[derive(Clone, Copy, Deserialize)]
pub(in crate::codec) struct Number(pub(in crate::codec) f64);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = rounded(self.0);
        // What rounding made whole is written as any other whole number.
        if is_whole(value) { serializer.serialize_i64(value as i64) } else { serializer.serialize_f64(value) }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
