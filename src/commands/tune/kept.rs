//! What earlier searches measured, so that the next one goes on where they ended: a file of lines for each testbed, under the
//! git dir. Derived, and never the only copy of anything: a line that cannot be read is passed over, a file that cannot be
//! written costs time only.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cubin::hex;
use crate::cuda::KernelPoint;
use crate::report::tuning::{Cause, Outcome, Source, Time};

/// A larger file is begun anew.
const MOST_BYTES: u64 = 8 << 20;
/// Longest message that is kept.
const MOST_MESSAGE: usize = 500;

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<LineTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LineTime {
    median: f64,
    low: Option<f64>,
    high: Option<f64>,
    n: u64,
}

/// Results by what was measured.
pub(super) struct Kept {
    path: PathBuf,
    known: HashMap<String, Outcome>,
    file: Option<File>,
}

impl Kept {
    /// What is kept in the repository's git dir of this testbed; nothing where `fresh` asks for that.
    pub(super) fn open(common_dir: &Path, testbed: &str, fresh: bool) -> Self {
        let name = hex(&Sha256::digest(testbed.as_bytes())[..8]);
        let path = common_dir.join("ratchet/tune").join(format!("{name}.jsonl"));
        let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MOST_BYTES);
        let known = if is_small && !fresh { read(&path) } else { HashMap::new() };
        if !is_small {
            // What is not there cannot be removed.
            let _ = fs::remove_file(&path);
        }
        Self { path, known, file: None }
    }

    /// What is known of a kernel.
    pub(super) fn get(&self, key: &str) -> Option<Outcome> {
        self.known.get(key).cloned()
    }

    /// Keeps what will be the same next time. What took too long may have done so because the computer was busy.
    pub(super) fn put(&mut self, key: &str, outcome: &Outcome) {
        let mut line = Line { v: 1, key: key.to_owned(), time: None, failure: None, message: None };
        match outcome {
            Outcome::Timed(Time { median, low, high, n, .. }) => {
                line.time = Some(LineTime { median: *median, low: *low, high: *high, n: *n });
            }
            Outcome::Failed { cause: cause @ (Cause::WrongResult | Cause::DoesNotFit), message } => {
                line.failure = Some(cause.as_str().to_owned());
                line.message = Some(message.chars().take(MOST_MESSAGE).collect());
            }
            Outcome::Failed { .. } => return,
        }
        let Ok(mut text) = serde_json::to_string(&line) else { return };
        text.push('\n');
        if self.file.is_none() {
            let folder = self.path.parent().map_or(Ok(()), fs::create_dir_all);
            self.file = folder.and_then(|()| OpenOptions::new().create(true).append(true).open(&self.path)).ok();
        }
        if let Some(file) = &mut self.file {
            // Not kept: the next search measures it again.
            let _ = file.write_all(text.as_bytes());
        }
    }
}

fn read(path: &Path) -> HashMap<String, Outcome> {
    let Ok(file) = File::open(path) else { return HashMap::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines.filter_map(|line| outcome(serde_json::from_str(&line).ok()?)).collect()
}

fn outcome(line: Line) -> Option<(String, Outcome)> {
    if line.v != 1 {
        return None;
    }
    let outcome = match (line.time, line.failure) {
        (Some(LineTime { median, low, high, n }), None) if median.is_finite() && median > 0.0 => {
            Outcome::Timed(Time { median, low, high, n, source: Source::Kept })
        }
        (None, Some(word)) => Outcome::Failed { cause: Cause::parse(&word)?, message: line.message.unwrap_or_default() },
        _ => return None,
    };
    Some((line.key, outcome))
}

/// Everything that a result depends on but the testbed: code, launch and arguments, what it is checked against, how it is
/// timed, and the version of this program.
pub(super) fn key(kernel: &KernelPoint) -> String {
    let job = &kernel.job;
    let mut hasher = Sha256::new();
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(&kernel.machine_code);
    hasher.update(format!("{:?} {} {:?}", job.timing.cache, job.plan.deterministic, job.plan.work));
    if let (Some(reference), Some(cubin)) = (&job.plan.reference, &job.reference_cubin) {
        hasher.update(format!("{:?} {:?} {:?}", reference.tolerance, reference.launch, reference.arguments));
        hasher.update(&cubin.0);
    }
    hex(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_there_again_and_damage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let timed = Outcome::Timed(Time { median: 1e-3, low: None, high: None, n: 8, source: Source::Dropped });
        let wrong = Outcome::Failed { cause: Cause::WrongResult, message: "`y` is wrong".to_owned() };
        let mut kept = Kept::open(folder.path(), "here", false);
        kept.put("timed", &timed);
        kept.put("wrong", &wrong);
        kept.put("transient", &Outcome::Failed { cause: Cause::OutOfMemory, message: String::new() });
        let path = kept.path.clone();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("not JSON\n{text}{{\"v\":1,\"key\":\"x\",\"time\":{{\"median\":-1,\"n\":1}}}}\n{{\"v\":2}}\n"))
            .unwrap();
        let again = Kept::open(folder.path(), "here", false);
        assert_eq!(again.known.len(), 2);
        assert_eq!(again.get("wrong"), Some(wrong));
        assert!(matches!(again.get("timed"), Some(Outcome::Timed(Time { n: 8, source: Source::Kept, .. }))));
        assert!(Kept::open(folder.path(), "elsewhere", false).known.is_empty());
        assert!(Kept::open(folder.path(), "here", true).known.is_empty());
    }
}
