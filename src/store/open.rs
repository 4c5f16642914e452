//! Finding and opening a repository as git would: environment, subfolders, worktrees, submodules, bare ones.

use std::path::{Path, PathBuf};

use super::git::Git;
use super::refs::Refs;
use super::{DEFAULT_NOTES_REF, MAX_NOTE_BYTES, Store, StoreError, Trust};
use crate::model::ObjectId;

/// Intermediate objects of delta chains that are kept while reading, in bytes for each thread. Without it, reading
/// notes from long delta chains takes quadratic time.
const PACK_CACHE_BYTES: usize = 16 << 20;

/// How to find the repository.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Where to begin the search, as with `git -C`; the current folder when absent.
    pub dir: Option<PathBuf>,
    /// The notes ref, in full or without `refs/notes/`; [`DEFAULT_NOTES_REF`] when absent.
    pub notes_ref: Option<String>,
    /// Reads nothing but the repository's own configuration, and no environment: for throw-away repositories.
    pub isolated: bool,
    /// Revisions that mean these commits whatever git says now: what they meant when somebody asked.
    pub pinned: Vec<(String, ObjectId)>,
}

impl Store {
    /// Finds and opens the repository: `GIT_DIR` if set, else the first one at or above the folder.
    pub fn open(options: &OpenOptions) -> Result<Self, StoreError> {
        let notes_ref = full_notes_ref(options.notes_ref.as_deref().unwrap_or(DEFAULT_NOTES_REF))?;
        let dir = options.dir.clone().unwrap_or_else(|| PathBuf::from("."));
        // Every path that is shown later grows from this one, without a `/./` in it.
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let mut repo = open_repository(&dir, options.isolated).map_err(|error| open_error(&dir, &error))?;
        let absolute = repo.make_paths_absolute().map(drop);
        absolute.map_err(|error| open_error(&dir, &error))?;
        repo.objects.set_pack_cache(|| Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE_BYTES)));
        if !options.isolated {
            check_common_dir(repo.common_dir())?;
        }
        let git = Git::new(repo.git_dir().to_owned(), repo.workdir().map(Path::to_owned), options.isolated);
        let refs = Refs::of(&repo, &git);
        let trust = Trust::of(repo.config_snapshot().string("ratchet.trust").map(|value| value.to_string()))?;
        let options = OpenOptions { dir: Some(dir), ..options.clone() };
        Ok(Self { repo, refs, git, notes_ref, trust, options })
    }

    /// The same repository with nothing of it in memory: what is read through it is let go with it.
    pub(super) fn reopened(&self) -> Result<Self, StoreError> {
        Self::open(&self.options)
    }
}

fn open_repository(dir: &Path, isolated: bool) -> gix::Result<gix::Repository> {
    let limit = format!("gitoxide.objects.allocLimit={MAX_NOTE_BYTES}");
    let options = gix::open::Options::default().bail_if_untrusted(true).config_overrides([limit]);
    let options = if isolated { options.permissions(gix::open::Permissions::isolated()) } else { options };
    let trust = gix::sec::trust::Mapping { full: options.clone(), reduced: options };
    let search = gix::discover::upwards::Options::default();
    let found = if isolated {
        gix::ThreadSafeRepository::discover_opts(dir, search, trust)
    } else {
        let search = gix::discover::upwards::Options { match_ceiling_dir_or_error: false, ..search };
        gix::ThreadSafeRepository::discover_with_environment_overrides_opts(dir, search, trust)
    };
    found.map(gix::Repository::from)
}

fn open_error(dir: &Path, error: &gix::Error) -> StoreError {
    let path = dir.to_owned();
    if error.is_permission_denied() {
        return StoreError::Untrusted { path };
    }
    if error.is_not_found() {
        return StoreError::NotARepository { path };
    }
    StoreError::CannotOpen { path, why: error.to_string() }
}

/// gix takes the common folder from the repository alone, so another one in the environment must not be passed over.
fn check_common_dir(found: &Path) -> Result<(), StoreError> {
    #[expect(clippy::disallowed_methods, reason = "git's own variable, which gix does not read")]
    let Some(given) = std::env::var_os("GIT_COMMON_DIR").map(PathBuf::from) else {
        return Ok(());
    };
    let same = given.canonicalize().ok().zip(found.canonicalize().ok()).is_some_and(|(given, found)| given == found);
    if same { Ok(()) } else { Err(StoreError::ForeignCommonDir { given, found: found.to_owned() }) }
}

/// Expands and checks the name of a notes ref by git's rules: everything lies under `refs/notes/`.
fn full_notes_ref(name: &str) -> Result<String, StoreError> {
    let invalid = |why| StoreError::InvalidNotesRef { name: name.chars().take(200).collect(), why };
    let full = match name {
        _ if name.starts_with("refs/notes/") => name.to_owned(),
        _ if name.starts_with("refs/") => return Err(invalid("it does not begin with refs/notes/")),
        _ if name.starts_with("notes/") => format!("refs/{name}"),
        _ => format!("refs/notes/{name}"),
    };
    gix::refs::FullName::try_from(full.as_str()).map_err(|_| invalid("git does not allow such a name"))?;
    Ok(full)
}
