//! What is measured against what in a session of pairs: the points of one command, at one commit and at others.

use std::fmt;
use std::ops::Range;

use super::points::point_name;
use super::suites::SuitePart;
use crate::model::{BenchmarkName, Config, ObjectId};

/// Which point is measured on which commits.
#[derive(Debug, Clone)]
pub struct Matchup {
    /// The benchmark of the settings.
    pub benchmark: BenchmarkName,
    /// Its point.
    pub config: Config,
    /// Commits to measure against, the most wanted first; those that cannot be measured are passed over.
    pub references: Vec<ObjectId>,
    /// The commit that is held against them.
    pub candidate: ObjectId,
    /// Where a suite measures it: what of its results is wanted. There are several where one command measures them all; the
    /// first has the benchmark and the config of the matchup.
    pub parts: Vec<SuitePart>,
}

/// A point that a matchup measures.
pub struct MatchedPoint<'a> {
    /// The benchmark.
    pub benchmark: &'a BenchmarkName,
    /// Its point.
    pub config: &'a Config,
    /// The testbed, where results may name it.
    pub testbed: Option<&'a str>,
    /// The places of its metrics among those that are measured.
    pub places: Range<usize>,
}

impl Matchup {
    /// The points that are measured, where so many metrics are.
    pub fn points(&self, metrics: usize) -> Vec<MatchedPoint<'_>> {
        if self.parts.is_empty() {
            let (benchmark, config) = (&self.benchmark, &self.config);
            return vec![MatchedPoint { benchmark, config, testbed: None, places: 0..metrics }];
        }
        let mut end = 0;
        let of_part = |part| {
            let SuitePart { benchmark, config, testbed, metrics }: &SuitePart = part;
            let places = end..end + metrics.len();
            end = places.end;
            MatchedPoint { benchmark, config, testbed: Some(testbed.as_str()), places }
        };
        self.parts.iter().map(of_part).collect()
    }
}

impl fmt::Display for Matchup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&point_name(&self.benchmark, &self.config))?;
        match self.parts.len() {
            0 | 1 => Ok(()),
            several => write!(f, " and {} more", several - 1),
        }
    }
}
