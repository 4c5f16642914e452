//! `init`: write a ratchet.toml to fill in.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

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
    let mut options = OpenOptions::new();
    // Without --force the file must be new: nobody's settings are overwritten, not even in a race.
    options.write(true).create(true).truncate(true).create_new(!arguments.force);
    match options.open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(
                CommandError::usage(format!("{} exists", path.display())).with_hint("git ratchet init --force replaces it")
            );
        }
        opened => opened
            .and_then(|mut file| file.write_all(Template::ratchet_toml().as_bytes()))
            .during(format!("cannot write {}", path.display()))?,
    }
    writeln!(context.out, "wrote {}", path.display())?;
    writeln!(
        context.out,
        "\nNext:\n  1. name your benchmarks in it and commit it\n  2. git ratchet bench     measures HEAD\n  3. git ratchet check     holds HEAD against the best level of its history"
    )?;
    Ok(Exit::Holds)
}
