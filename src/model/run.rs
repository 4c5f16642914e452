//! A run: one execution of benchmarks on one testbed.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

use super::{InvalidValue, LineId, ObjectId, check_name};

/// Who made a run or an excuse, as git knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Author {
    /// `user.name`.
    pub name: String,
    /// `user.email`.
    pub email: String,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// The identity under which results may be compared, and the facts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testbed {
    key: String,
    /// Context that is not part of the identity: kernel, governor, driver, memory, … A report names its changes.
    pub facts: BTreeMap<String, String>,
}

impl Testbed {
    /// A testbed from its key, such as `AMD EPYC 7B13 · 2 cores` or a label of the user's.
    pub fn new(key: impl Into<String>, facts: BTreeMap<String, String>) -> Result<Self, InvalidValue> {
        let key = key.into();
        check_name("testbed", &key)?;
        Ok(Self { key, facts })
    }

    /// The identity: only results with equal keys are compared.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// One execution of benchmarks on one testbed, at one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Unique id; records refer to it.
    pub id: LineId,
    /// When it began.
    pub time: DateTime<Utc>,
    /// Who ran it.
    pub author: Author,
    /// What measured: `git-ratchet 0.1.0`, `hyperfine 1.20.0`, …
    pub tool: String,
    /// The commit that was checked out.
    pub commit: ObjectId,
    /// The root tree of that commit: commits with the same tree inherit the run's records.
    pub tree: ObjectId,
    /// Whether tracked files differed from that tree. Dirty records are shown, never a baseline.
    pub dirty: bool,
    /// Runs measured interleaved in one session (a paired confirmation) share this id.
    pub session: Option<LineId>,
    /// Where it ran.
    pub testbed: Testbed,
}
