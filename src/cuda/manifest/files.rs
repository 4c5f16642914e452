//! The files of a kernel: where they are read from, and which `#include "…"` pull in.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::{ManifestError, Problem};
use crate::cuda::Header;

/// Gives the bytes of a file of the repository by its path from the root, written with `/`. What is not there is
/// [`io::ErrorKind::NotFound`]. The work tree and the tree of any commit can be read through it.
pub type ReadFile<'a> = dyn Fn(&str) -> io::Result<Vec<u8>> + 'a;

/// Longest manifest in bytes.
pub(super) const MAX_MANIFEST_BYTES: usize = 1 << 20;
/// Longest source or header in bytes.
pub(super) const MAX_SOURCE_BYTES: usize = 4 << 20;
/// Most headers of one source.
const MAX_HEADERS: usize = 256;
/// Most bytes of all headers of one source together.
const MAX_HEADER_BYTES: usize = 32 << 20;

/// Reads the files below `root`. A link that leads out of it is refused.
pub fn work_tree(root: &Path) -> impl Fn(&str) -> io::Result<Vec<u8>> + use<> {
    let root = root.to_owned();
    move |path| read_below(&root, path)
}

fn read_below(root: &Path, path: &str) -> io::Result<Vec<u8>> {
    let outside = || io::Error::new(io::ErrorKind::PermissionDenied, "it lies outside the repository");
    let inside = join("", path).ok_or_else(outside)?;
    let real: PathBuf = root.join(inside).canonicalize()?;
    if !real.starts_with(root.canonicalize()?) {
        return Err(outside());
    }
    let file = File::open(real)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `name` seen from `folder`, both from the root; `None` where it leaves the repository.
pub(super) fn join(folder: &str, name: &str) -> Option<String> {
    if name.starts_with('/') || name.contains(['\\', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The folder of a file, from the root; empty for the root itself.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The text of a file that `named_by` names.
pub(super) fn read_text(path: &str, named_by: &str, most: usize, read: &ReadFile<'_>) -> Result<String, ManifestError> {
    let unreadable = |source| ManifestError::Unreadable { path: path.to_owned(), named_by: named_by.to_owned(), source };
    text(path, read(path).map_err(unreadable)?, most)
}

fn text(path: &str, bytes: Vec<u8>, most: usize) -> Result<String, ManifestError> {
    if bytes.len() > most {
        return Err(ManifestError::TooLarge { path: path.to_owned(), bytes: bytes.len(), most });
    }
    String::from_utf8(bytes)
        .map_err(|error| ManifestError::NotText { path: path.to_owned(), at: error.utf8_error().valid_up_to() })
}

/// The headers that `source` includes, directly or not, each once. A name that is no file of the repository is left to
/// the compiler, which knows CUDA's own headers and says what is missing.
pub(super) fn headers(
    manifest: &str,
    (source_path, source): (&str, &str),
    folders: &[String],
    read: &ReadFile<'_>,
) -> Result<Vec<Header>, ManifestError> {
    let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut bytes = 0;
    let mut open: VecDeque<(String, String)> = VecDeque::from([(source_path.to_owned(), source.to_owned())]);
    while let Some((path, text)) = open.pop_front() {
        for name in includes(&text) {
            let Some((header, text)) = find(manifest, &path, name, folders, read)? else { continue };
            if let Some((other, _)) = found.get(name) {
                if *other != header {
                    let message = format!("`#include \"{name}\"` means {other} in one file and {header} in {path}");
                    return Err(Problem::key("includes", message).hint("rename one of them").of(manifest));
                }
                continue;
            }
            bytes += text.len();
            if found.len() == MAX_HEADERS || bytes > MAX_HEADER_BYTES {
                let message = format!("{source_path} includes more than {MAX_HEADERS} files or {MAX_HEADER_BYTES} bytes");
                return Err(Problem::key("includes", message).of(manifest));
            }
            found.insert(name.to_owned(), (header.clone(), text.clone()));
            open.push_back((header, text));
        }
    }
    Ok(found.into_iter().map(|(name, (_, text))| Header { name, text }).collect())
}

/// Path and text of the header `name` that `path` includes: beside it first, then in the folders of the manifest.
fn find(
    manifest: &str,
    path: &str,
    name: &str,
    folders: &[String],
    read: &ReadFile<'_>,
) -> Result<Option<(String, String)>, ManifestError> {
    for folder in std::iter::once(folder(path)).chain(folders.iter().map(String::as_str)) {
        let candidate = join(folder, name).ok_or_else(|| {
            Problem::key("includes", format!("`#include \"{name}\"` in {path} leads out of the repository"))
                .hint("copy the header into the repository, or include CUDA's own with <…>")
                .of(manifest)
        })?;
        match read(&candidate) {
            Ok(bytes) => return Ok(Some((candidate.clone(), text(&candidate, bytes, MAX_SOURCE_BYTES)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                let named_by = format!("included by {path}");
                return Err(ManifestError::Unreadable { path: candidate, named_by, source });
            }
        }
    }
    Ok(None)
}

/// The names between quotes of `#include "…"`. One inside a comment counts, too: a header too many does no harm.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let directive = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
        let (name, _) = directive.trim_start().strip_prefix('"')?.split_once('"')?;
        (!name.is_empty()).then_some(name)
    })
}
