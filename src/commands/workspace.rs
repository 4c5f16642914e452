//! The repository and its settings, opened together.

use std::io;

use super::context::Context;
use super::error::CommandError;
use crate::model::ObjectId;
use crate::settings::{self, Overrides, Settings, SettingsError};
use crate::store::{OpenOptions, Store, StoreError};

/// An opened repository and the settings in force.
pub struct Workspace {
    /// The repository.
    pub store: Store,
    /// `ratchet.toml` of the work tree (of HEAD in a bare repository), with git config above it.
    pub settings: Settings,
    /// Whether there is a `ratchet.toml`.
    pub has_settings: bool,
}

impl Workspace {
    /// Opens the repository of the context's folder and reads its settings.
    pub fn open(context: &Context) -> Result<Self, CommandError> {
        let (dir, pinned) = (context.dir.clone(), context.pinned.revisions.clone());
        let store = Store::open(&OpenOptions { dir, pinned, ..OpenOptions::default() })?;
        let file = match &context.pinned.settings {
            Some(text) => Some(Settings::parse(text.as_bytes(), settings::FILE_NAME)?),
            None => settings_file(&store)?,
        };
        let overrides = overrides(&store)?;
        let has_settings = file.is_some();
        let settings = file.unwrap_or_default().overridden_by(&overrides);
        Ok(Self { store, settings, has_settings })
    }

    /// The commit of a word where a benchmark may be meant.
    pub fn revision(&self, word: &str) -> Result<ObjectId, CommandError> {
        self.store.resolve(word).map_err(|error| match error {
            StoreError::UnknownRevision { .. } => {
                CommandError::from(error).with_hint(format!("a benchmark is named with --benchmark {word}"))
            }
            _ => error.into(),
        })
    }

    /// The settings as another revision has them: the policy that a change cannot loosen.
    pub fn settings_of(&self, commit: ObjectId, name: &str) -> Result<Settings, CommandError> {
        let settings = match self.store.read_file(commit, settings::FILE_NAME)? {
            Some(bytes) => Settings::parse(&bytes, &format!("{} of {name}", settings::FILE_NAME))?,
            None => Settings::default(),
        };
        Ok(settings.overridden_by(&overrides(&self.store)?))
    }

    /// Reads the files of a commit from the object database, as [`crate::cuda::ReadFile`] wants them.
    pub fn files_of(&self, commit: ObjectId) -> impl Fn(&str) -> io::Result<Vec<u8>> + '_ {
        move |path| match self.store.read_file(commit, path) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(io::Error::new(io::ErrorKind::NotFound, format!("{path} is not in that commit"))),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }
}

fn overrides(store: &Store) -> Result<Overrides, CommandError> {
    const KEYS: [&str; 9] = [
        "ratchet.base",
        "ratchet.history",
        "ratchet.baseline",
        "ratchet.confirm",
        "ratchet.incremental",
        "ratchet.keepWorktrees",
        "ratchet.testbed",
        "ratchet.regression",
        "ratchet.improvement",
    ];
    let mut given: Vec<(String, String)> =
        KEYS.iter().filter_map(|key| Some(((*key).to_owned(), store.git_setting(key)?))).collect();
    let places = store.git_settings_named("fleet", "slurm").into_iter();
    given.extend(places.map(|(name, value)| (format!("ratchet.fleet.{name}.slurm"), value)));
    Ok(Overrides::from_git_config(given.iter().map(|(key, value)| (key.as_str(), value.as_str())))?)
}

fn settings_file(store: &Store) -> Result<Option<Settings>, CommandError> {
    let Some(root) = store.work_dir() else {
        return settings_of_head(store);
    };
    let path = root.join(settings::FILE_NAME);
    if path.exists() { Ok(Some(settings::load(&path)?)) } else { Ok(None) }
}

/// A bare repository has no work tree: its settings are those of HEAD, where it has a commit.
fn settings_of_head(store: &Store) -> Result<Option<Settings>, CommandError> {
    let Ok(head) = store.head() else { return Ok(None) };
    let bytes = store.read_file(head, settings::FILE_NAME)?;
    Ok(bytes.map(|bytes| Settings::parse(&bytes, &format!("HEAD:{}", settings::FILE_NAME))).transpose()?)
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownTrust { .. } => Self::usage(error),
            _ => Self::failure(error),
        }
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Unreadable { .. } => Self::failure(error),
            _ => Self::usage(error),
        }
    }
}
