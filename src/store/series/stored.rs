//! What stands in the file: the directory, and the elements of its arrays as bytes.
//!
//! A commit is numbered by its *age* along the history, 0 for the oldest: a number that stays when newer commits come.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::blocks::{Array, Damaged, Part, Reader, Tail};
use crate::judge::Digest;
use crate::model::{BenchmarkName, Config, Direction, LineId, Metric, MetricName, ObjectId, SeriesKey, Summary, Unit};
use crate::store::by_tree::Counts;

/// Results are read as this version of the program understands them.
pub(super) const MADE_BY: &str = env!("CARGO_PKG_VERSION");

/// Neighbours in time have machine code with neighbouring numbers.
const CODES_AT_ONCE: u64 = 64;

/// Everything but the arrays themselves.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) made_by: String,
    /// The newest commit of the history.
    pub(super) tip: String,
    /// The root of the notes.
    pub(super) notes_tree: String,
    /// Ids of the commits by age.
    pub(super) commits: Array,
    /// Commit ids and ages, sorted.
    pub(super) by_commit: Array,
    /// Tree ids and ages, sorted.
    pub(super) by_tree: Array,
    /// Tree ids, and the annotated objects whose notes have something about them, sorted.
    pub(super) mentions: Array,
    /// Run ids and times.
    pub(super) runs: Array,
    /// The machine code that records name, each once and filled up with zeros to the same length.
    pub(super) codes: Array,
    /// Annotated objects whose notes hold excuses.
    pub(super) excused: Vec<String>,
    /// Annotated objects whose notes are too large.
    pub(super) too_large: Vec<String>,
    pub(super) counts: Counts,
    pub(super) series: Vec<StoredSeries>,
}

/// One series.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredSeries {
    benchmark: String,
    config: Vec<(String, String)>,
    metric: String,
    testbed: String,
    /// The unit, direction and exactness of the newest record, dirty or barred as it may be.
    unit: String,
    better: String,
    exact: bool,
    /// The age, time and id of that record.
    pub(super) newest: Instant,
    /// Checksums of the ids of all records, sorted: whether a record is new here.
    pub(super) ids: Array,
    /// The records of each unit; nearly always there is one.
    pub(super) units: Vec<StoredUnit>,
}

/// When a record counts: what series are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Instant {
    pub(super) age: u32,
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    pub(super) id: [u8; 16],
}

/// The records of one series in one unit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredUnit {
    pub(super) unit: String,
    /// The records that may be a baseline, oldest first.
    pub(super) rows: Array,
    /// The numbers of the digest of its oldest records; empty where there is none.
    pub(super) digest: Array,
    pub(super) dirty: usize,
    pub(super) barred: usize,
}

impl Instant {
    pub(super) fn new(age: u32, time: DateTime<Utc>, id: LineId) -> Self {
        Self { age, seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos(), id: id.to_number().to_be_bytes() }
    }

    /// The run, where it is the instant of one.
    pub(super) fn run_time(&self) -> RunTime {
        let time = DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default();
        RunTime { id: LineId::from_number(u128::from_be_bytes(self.id)), time }
    }
}

impl StoredSeries {
    pub(super) fn new(key: &SeriesKey, metric: &Metric, newest: Instant, ids: Array, units: Vec<StoredUnit>) -> Self {
        Self {
            benchmark: key.benchmark.as_str().to_owned(),
            config: key.config.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            metric: key.metric.as_str().to_owned(),
            testbed: key.testbed.clone(),
            unit: metric.unit.symbol().to_owned(),
            better: metric.better.as_str().to_owned(),
            exact: metric.exact,
            newest,
            ids,
            units,
        }
    }

    /// Whether it is the series with this key, in whatever order its parameters stand.
    fn is(&self, key: &SeriesKey) -> bool {
        self.benchmark == key.benchmark.as_str()
            && self.metric == key.metric.as_str()
            && self.testbed == key.testbed
            && self.config.len() == key.config.iter().count()
            && self.config.iter().all(|(name, value)| key.config.get(name) == Some(value))
    }

    pub(super) fn key(&self) -> Result<SeriesKey, Damaged> {
        Ok(SeriesKey {
            benchmark: BenchmarkName::new(self.benchmark.as_str()).map_err(|_| Damaged)?,
            config: Config::new(self.config.iter().cloned()).map_err(|_| Damaged)?,
            metric: MetricName::new(self.metric.as_str()).map_err(|_| Damaged)?,
            testbed: self.testbed.clone(),
        })
    }

    pub(super) fn metric(&self) -> Result<Metric, Damaged> {
        Ok(Metric {
            name: MetricName::new(self.metric.as_str()).map_err(|_| Damaged)?,
            unit: Unit::from_symbol(&self.unit).map_err(|_| Damaged)?,
            better: self.better.parse::<Direction>().map_err(|_| Damaged)?,
            exact: self.exact,
            follows: None,
        })
    }
}

/// One record: the age of its commit, the numbers of its run and of its machine code, its id, and its statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) age: u32,
    pub(super) run: u32,
    pub(super) code: CodeNumber,
    pub(super) id: [u8; 16],
    pub(super) figures: Figures,
}

/// Which of [`Directory::codes`] a record names, counted from 1; 0 stands for none.
pub(super) type CodeNumber = u32;

/// The statistics that a verdict needs; NaN stands for what is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    n: u64,
    median: f64,
    low: f64,
    high: f64,
    stddev: f64,
}

impl Figures {
    pub(super) fn of(summary: &Summary) -> Self {
        let known = |number: Option<f64>| number.unwrap_or(f64::NAN);
        Self {
            n: summary.n,
            median: summary.median,
            low: known(summary.low),
            high: known(summary.high),
            stddev: known(summary.stddev),
        }
    }

    pub(super) fn median(&self) -> f64 {
        self.median
    }

    pub(super) const SIZE: usize = 40;

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.n.to_le_bytes());
        for (place, number) in bytes[8..].chunks_exact_mut(8).zip([self.median, self.low, self.high, self.stddev]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let number = |at: usize| f64::from_le_bytes(array(bytes, at));
        let n = u64::from_le_bytes(array(bytes, 0));
        Self { n, median: number(8), low: number(16), high: number(24), stddev: number(32) }
    }

    pub(super) fn summary(&self) -> Summary {
        let known = |number: f64| Some(number).filter(|number| !number.is_nan());
        let Self { n, median, low, high, stddev } = *self;
        Summary { n, low: known(low), high: known(high), stddev: known(stddev), ..Summary::single(median) }
    }
}

impl Row {
    pub(super) const SIZE: usize = 68;

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.age.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.run.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.id);
        bytes[24..64].copy_from_slice(&self.figures.to_bytes());
        bytes[64..].copy_from_slice(&self.code.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let figures = Figures::from_bytes(bytes.get(24..).unwrap_or_default());
        let half = |at: usize| u32::from_le_bytes(array(bytes, at));
        Self { age: half(0), run: half(4), code: half(64), id: array(bytes, 8), figures }
    }
}

/// One run: its id and when it began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RunTime {
    pub(super) id: LineId,
    pub(super) time: DateTime<Utc>,
}

impl RunTime {
    pub(super) const SIZE: usize = 28;

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..16].copy_from_slice(&self.id.to_number().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.time.timestamp().to_le_bytes());
        bytes[24..].copy_from_slice(&self.time.timestamp_subsec_nanos().to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (seconds, nanos) = (i64::from_le_bytes(array(bytes, 16)), u32::from_le_bytes(array(bytes, 24)));
        let time = DateTime::from_timestamp(seconds, nanos).unwrap_or_default();
        Self { id: LineId::from_number(u128::from_le_bytes(array(bytes, 0))), time }
    }
}

/// Where in the directory a series stands, by its key: a check asks for each of ten thousand series several times.
#[derive(Debug, Default)]
struct Index {
    hasher: RandomState,
    places: HashMap<u64, Vec<usize>>,
}

impl Index {
    fn of(series: &[StoredSeries]) -> Self {
        let mut index = Self::default();
        for (place, series) in series.iter().enumerate() {
            let config = series.config.iter().map(|(name, value)| (&**name, &**value));
            let hash = index.hash([&series.benchmark, &series.metric, &series.testbed], config);
            index.places.entry(hash).or_default().push(place);
        }
        index
    }

    fn places(&self, key: &SeriesKey) -> &[usize] {
        let hash = self.hash([key.benchmark.as_str(), key.metric.as_str(), &key.testbed], key.config.iter());
        self.places.get(&hash).map_or(&[], Vec::as_slice)
    }

    /// The same in whatever order the parameters stand.
    fn hash<'c>(&self, names: [&str; 3], config: impl Iterator<Item = (&'c str, &'c str)>) -> u64 {
        config.map(|parameter| self.hasher.hash_one(parameter)).fold(self.hasher.hash_one(names), u64::wrapping_add)
    }
}

/// An opened file.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) reader: Reader,
    pub(super) directory: Directory,
    index: Index,
    pub(super) commits: Tail,
    pub(super) runs: Tail,
    /// Machine code near what was asked for.
    known_codes: Mutex<HashMap<u64, Arc<Part>>>,
    hash_len: usize,
}

impl Base {
    /// Takes a file if it is whole, of this version, and about this history.
    pub(super) fn open(file: File, tip: ObjectId) -> Result<Self, Damaged> {
        let (reader, directory) = Reader::new(file)?;
        let directory: Directory = serde_json::from_slice(&directory).map_err(|_| Damaged)?;
        let is_ours = directory.made_by == MADE_BY && directory.tip == tip.to_string() && directory.commits.len > 0;
        let (commits, runs) = (Tail::new(directory.commits), Tail::new(directory.runs));
        let hash_len = tip.as_bytes().len();
        if is_ours {
            let index = Index::of(&directory.series);
            Ok(Self { reader, directory, index, commits, runs, known_codes: Mutex::default(), hash_len })
        } else {
            Err(Damaged)
        }
    }

    pub(super) fn notes_tree(&self) -> Result<ObjectId, Damaged> {
        self.directory.notes_tree.parse().map_err(|_| Damaged)
    }

    /// The series with this key.
    pub(super) fn series(&self, key: &SeriesKey) -> Option<&StoredSeries> {
        self.index.places(key).iter().map(|place| &self.directory.series[*place]).find(|series| series.is(key))
    }

    /// The machine code with this number.
    pub(super) fn code(&self, number: CodeNumber) -> Result<Option<String>, Damaged> {
        let Some(at) = u64::from(number).checked_sub(1) else { return Ok(None) };
        let mut known = self.known_codes.lock().map_err(|_| Damaged)?;
        let near = at / CODES_AT_ONCE;
        let part = match known.get(&near) {
            Some(part) => Arc::clone(part),
            None => {
                let codes = self.directory.codes;
                let first = near * CODES_AT_ONCE;
                let part = Arc::new(self.reader.part(codes, first..(first + CODES_AT_ONCE).min(codes.len))?);
                known.insert(near, Arc::clone(&part));
                part
            }
        };
        let code = part.get(at).ok_or(Damaged)?.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Some(String::from_utf8(code.to_vec()).map_err(|_| Damaged)?))
    }

    /// How many commits the history has.
    pub(super) fn len(&self) -> u32 {
        self.directory.commits.len as u32
    }

    /// Every commit by age.
    pub(super) fn all_commits(&self) -> Result<Vec<ObjectId>, Damaged> {
        let bytes = self.reader.all(self.directory.commits)?;
        Ok(bytes.chunks_exact(self.hash_len).filter_map(ObjectId::from_bytes).collect())
    }

    /// The commit of an age.
    pub(super) fn commit(&self, age: u32) -> Result<ObjectId, Damaged> {
        let age = u64::from(age);
        self.commits.from(&self.reader, age)?.get(age).and_then(ObjectId::from_bytes).ok_or(Damaged)
    }

    /// Whether a commit is part of the history.
    pub(super) fn has_commit(&self, id: ObjectId) -> Result<bool, Damaged> {
        Ok(!self.reader.find(self.directory.by_commit, id.as_bytes())?.is_empty())
    }

    /// The ages of the commits with this tree, ascending.
    pub(super) fn ages_of(&self, tree: ObjectId) -> Result<Vec<u32>, Damaged> {
        let range = self.reader.find(self.directory.by_tree, tree.as_bytes())?;
        let bytes = self.reader.read(self.directory.by_tree, range)?;
        Ok(bytes.chunks_exact(self.hash_len + 4).map(|element| age_of(&element[self.hash_len..])).collect())
    }

    /// The annotated objects whose notes have something about this tree.
    pub(super) fn mentions_of(&self, tree: ObjectId) -> Result<Vec<ObjectId>, Damaged> {
        let range = self.reader.find(self.directory.mentions, tree.as_bytes())?;
        let bytes = self.reader.read(self.directory.mentions, range)?;
        Ok(bytes.chunks_exact(2 * self.hash_len).filter_map(|element| ObjectId::from_bytes(&element[self.hash_len..])).collect())
    }

    /// The digest of a series' records in one unit, where there is one.
    pub(super) fn digest(&self, unit: &StoredUnit) -> Result<Option<Digest>, Damaged> {
        let bytes = self.reader.all(unit.digest)?;
        let words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(array(word, 0))).collect();
        if words.is_empty() { Ok(None) } else { Digest::from_words(&words).map(Some).ok_or(Damaged) }
    }

    /// Whether a record may be among those of a series. Never `false` for one that is; very rarely `true` for another.
    pub(super) fn may_hold(&self, series: &StoredSeries, id: LineId) -> Result<bool, Damaged> {
        Ok(!self.reader.find(series.ids, &id_sum(id))?.is_empty())
    }
}

/// A short stand-in for a record's id.
pub(super) fn id_sum(id: LineId) -> [u8; 4] {
    crc32fast::hash(&id.to_number().to_be_bytes()).to_be_bytes()
}

/// An id and an age as one element, sorted as both are.
pub(super) fn with_age(id: ObjectId, age: u32) -> Vec<u8> {
    [id.as_bytes(), &age.to_be_bytes()].concat()
}

fn age_of(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(array(bytes, 0))
}

/// The bytes at a place; zeros beyond the end.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}
