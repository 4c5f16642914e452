//! Compiled kernels, kept: a folder with one file for each, named by everything that the code depends on.
//!
//! Nothing depends on it. A file that is damaged, or of another version of this program, is as good as none; a folder that
//! cannot be written costs time only.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::find::Installation;
use super::nvrtc::Request;
use crate::cubin::hex;

/// Begins every file; another number is another layout.
const MAGIC: &[u8] = b"git-ratchet kernel 1\n";
const SUM_BYTES: usize = 32;
/// From this many files on, the older half is removed.
const MOST_FILES: usize = 4096;
/// Files that are larger are not ours.
const MAX_BYTES: u64 = 256 << 20;

/// A folder of compiled kernels.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// Names a compiled kernel by all that went into it.
pub(super) struct Key(String);

impl Key {
    /// Source, headers, options and macros; which compiler, and which of CUDA's headers. The version alone does not tell
    /// patch releases apart, so size and time of the library do.
    pub(super) fn of(request: &Request<'_>, installation: &Installation, version: (u32, u32)) -> Self {
        let program = request.program;
        let mut hasher = Sha256::new();
        let mut add = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        [&program.name, &program.source, &program.entry].into_iter().for_each(|text| add(text));
        add(&program.headers.len().to_string());
        program.headers.iter().for_each(|header| {
            add(&header.name);
            add(&header.text);
        });
        request.options.iter().chain(&request.includes).for_each(|option| add(option));
        add(&format!("{}.{}", version.0, version.1));
        add(&installation.library.display().to_string());
        add(&stamp(&installation.library));
        Self(hex(&hasher.finalize()))
    }
}

/// Size and time of a file.
fn stamp(path: &Path) -> String {
    let Ok(metadata) = fs::metadata(path) else { return String::new() };
    let time = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{} {:?}", metadata.len(), time)
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        let cache = Self { folder };
        cache.thin();
        cache
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0)
    }

    /// CUBIN and log, where they are there and whole.
    pub(super) fn get(&self, key: &Key) -> Option<(Vec<u8>, String)> {
        let path = self.path(key);
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let bytes = fs::read(path).ok()?;
        let (sum, content) = bytes.strip_prefix(MAGIC)?.split_at_checked(SUM_BYTES)?;
        if Sha256::digest(content)[..] != *sum {
            return None;
        }
        let (length, rest) = content.split_first_chunk::<8>()?;
        let (log, cubin) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        Some((cubin.to_vec(), String::from_utf8(log.to_vec()).ok()?))
    }

    /// Keeps CUBIN and log. Written beside and renamed, so that nobody reads half a file.
    pub(super) fn put(&self, key: &Key, cubin: &[u8], log: &str) {
        let content = [&(log.len() as u64).to_le_bytes(), log.as_bytes(), cubin].concat();
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(MAGIC)?;
            file.write_all(&Sha256::digest(&content)[..])?;
            file.write_all(&content)?;
            file.persist(self.path(key))?;
            Ok(())
        };
        // Not kept: the next one compiles again.
        let _ = write();
    }

    /// Removes the older half where there are too many.
    fn thin(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let mut files: Vec<_> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).map(|path| (time(&path), path)).collect();
        if files.len() < MOST_FILES {
            return;
        }
        files.sort();
        for (_, path) in &files[..files.len() / 2] {
            let _ = fs::remove_file(path);
        }
    }
}
