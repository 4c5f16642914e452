//! `init`: write a ratchet.toml to fill in, and let plain `git fetch` bring the notes of the remote.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use crate::cli::InitArgs;
use crate::exit::Exit;
use crate::settings::{FILE_NAME, Template};
use crate::store::{self, Store};

/// Runs the command.
pub fn run(arguments: &InitArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let store = Store::open(&store::OpenOptions { dir: context.dir.clone(), ..Default::default() })?;
    let root = store.work_dir().ok_or_else(|| {
        CommandError::failure("a bare repository has no place for a ratchet.toml").with_hint("run git ratchet init in a clone")
    })?;
    let path = root.join(FILE_NAME);
    let is_new = write(&path, arguments.force)?;
    writeln!(context.out, "{} {}", if is_new { "wrote" } else { "kept" }, path.display())?;
    if !arguments.no_refspec {
        track_notes(&store, context)?;
    }
    if store.lacks_commit_graph().unwrap_or(false) {
        store.write_commit_graph()?;
        writeln!(context.out, "let git write a commit-graph file: walking this history is several times as quick with it")?;
    }
    match is_new {
        true => writeln!(
            context.out,
            "\nNext:\n  1. name your benchmarks in it and commit it\n  2. git ratchet bench     measures HEAD\n  3. git ratchet check     holds HEAD against the best level of its history"
        )?,
        false => writeln!(context.out, "git ratchet init --force replaces it")?,
    }
    Ok(Exit::Holds)
}

/// Writes the settings to fill in; `false` where there are some already.
fn write(path: &Path, force: bool) -> Result<bool, CommandError> {
    let mut options = OpenOptions::new();
    // Without --force the file must be new: nobody's settings are overwritten, not even in a race.
    options.write(true).create(true).truncate(true).create_new(!force);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        opened => opened
            .and_then(|mut file| file.write_all(Template::ratchet_toml().as_bytes()))
            .during(format!("cannot write {}", path.display()))
            .map(|()| true),
    }
}

/// Sets the fetch refspec of the remote, once.
fn track_notes(store: &Store, context: &mut Context) -> Result<(), CommandError> {
    let Some(remote) = store.remote()? else {
        return Ok(());
    };
    let remote = store.remote_named(Some(&remote))?;
    let tracking = store.tracking_ref(&remote);
    match store.track_notes(&remote)? {
        true => writeln!(context.out, "set remote.{remote}.fetch: git fetch now brings its notes to {tracking}")?,
        false => writeln!(context.out, "remote.{remote}.fetch brings its notes to {tracking} already")?,
    }
    Ok(())
}
