//! What a job is to do, and how it ended: two small files under the git dir, which every node sees. The second one is there from
//! the beginning, and empty: a network file system may take a while to show a new file, but not new content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// The command line as it was typed.
    pub arguments: Vec<String>,
    /// The repository.
    pub repository: PathBuf,
    /// The commit whose files are measured, in a worktree of its own; `None` where the command makes its own.
    pub checkout: Option<String>,
    /// Revisions and the ids of the commits that they meant.
    pub pinned: Vec<(String, String)>,
    /// The settings file.
    pub settings: Option<String>,
    /// The commits of this part of the work, in place of those on the command line.
    pub commits: Option<String>,
    /// The benchmarks of this part of the work.
    pub names: Vec<String>,
    /// The base that a check found.
    pub against: Option<String>,
    /// Columns of the terminal that shows the results.
    pub width: Option<usize>,
    /// Whether that shows colours.
    pub color: bool,
}

/// An order that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the order {}: {why}", path.display())]
pub struct OrderError {
    path: PathBuf,
    why: String,
}

impl Order {
    /// Writes the order of job `number` into a folder, beside a file for its end, and returns its path.
    pub fn write(&self, folder: &Path, number: usize) -> io::Result<PathBuf> {
        let path = folder.join(format!("{number}.json"));
        fs::write(exit_path(&path), "")?;
        fs::write(&path, serde_json::to_vec(self)?)?;
        Ok(path)
    }

    /// Reads an order.
    pub fn read(path: &Path) -> Result<Self, OrderError> {
        let refused = |why: String| OrderError { path: path.to_owned(), why };
        let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
    }
}

/// Leaves the exit code of what was ordered.
pub fn leave_exit(order: &Path, code: u8) -> io::Result<()> {
    fs::write(exit_path(order), format!("{code}\n"))
}

/// The exit code that was left; `None` where the job did not come so far.
pub fn exit_of(order: &Path) -> Option<u8> {
    fs::read_to_string(exit_path(order)).ok()?.strip_suffix('\n')?.parse().ok()
}

fn exit_path(order: &Path) -> PathBuf {
    order.with_extension("exit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written_and_its_end_is_told_once_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let order = Order {
            arguments: vec!["git-ratchet".to_owned(), "bench".to_owned()],
            pinned: vec![("HEAD".to_owned(), "1".repeat(40))],
            settings: Some("base = \"main\"\n".to_owned()),
            ..Order::default()
        };
        let path = order.write(folder.path(), 0).unwrap();
        assert_eq!(Order::read(&path).unwrap(), order);
        assert_eq!(exit_of(&path), None);
        leave_exit(&path, 3).unwrap();
        assert_eq!(exit_of(&path), Some(3));
        let error = Order::read(&folder.path().join("9.json")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the order "), "{error}");
    }
}
