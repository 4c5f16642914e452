//! The file of the pre-push hook: written, kept beside another hook, taken away again.
//!
//! Files are renamed into place, so that a push at any moment finds the old hook or the new one, whole.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::commands::error::{CommandError, During};
use crate::store::Store;

/// The hook as it is installed: it finds the program through git.
const SCRIPT: &str = include_str!("../../../hooks/pre-push");

/// By this line a hook is known as ours, whatever version wrote it.
const MARK: &str = "# git-ratchet: holds what is pushed";

/// Our mark stands in the first lines.
const READ_BYTES: u64 = 4096;

/// The place of the pre-push hook in one repository.
pub struct PrePush {
    path: PathBuf,
    kept: PathBuf,
}

/// What an installation found.
pub enum Installed {
    /// No hook.
    Alone,
    /// Our own.
    Again,
    /// Another hook, now kept under this name.
    After(PathBuf),
}

/// What an uninstallation did.
pub enum Removed {
    /// Our hook was not there.
    Nothing,
    /// Our hook is gone.
    Ours,
    /// The hook from before is back.
    Restored,
}

impl PrePush {
    /// Where git looks for it.
    pub fn of(store: &Store) -> Result<Self, CommandError> {
        let folder = store.hooks_dir()?;
        Ok(Self { path: folder.join("pre-push"), kept: folder.join("pre-push.before-ratchet") })
    }

    /// The hook's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name under which another hook is kept.
    pub fn kept(&self) -> &Path {
        &self.kept
    }

    /// Whether the file is there and ours.
    pub fn is_ours(&self) -> Result<bool, CommandError> {
        let mut start = Vec::new();
        match fs::File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.and_then(|file| file.take(READ_BYTES).read_to_end(&mut start)).during(self.cannot("read"))?,
        };
        Ok(String::from_utf8_lossy(&start).lines().any(|line| line.starts_with(MARK)))
    }

    /// Writes our hook and keeps another one that is there.
    pub fn install(&self) -> Result<Installed, CommandError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if folder.ends_with(".husky/_") {
            return Err(CommandError::failure(format!(
                "husky writes the hooks in {}, and would not find its own any more",
                folder.display()
            ))
            .with_hint("put this line into .husky/pre-push: git ratchet hook run pre-push \"$@\""));
        }
        let is_ours = self.is_ours()?;
        // A link that leads nowhere is something that somebody put there, too.
        let is_other = !is_ours && self.path.symlink_metadata().is_ok();
        if is_other && self.kept.symlink_metadata().is_ok() {
            let kept = self.kept.display();
            return Err(CommandError::failure(format!("{} is not ours, and {kept} is there as well", self.path.display()))
                .with_hint("move one of them away, then install again"));
        }
        fs::create_dir_all(folder).during(format!("cannot make {}", folder.display()))?;
        let new = self.path.with_extension("ratchet-new");
        write_executable(&new).during(self.cannot("write"))?;
        if is_other {
            fs::rename(&self.path, &self.kept).during(self.cannot("move"))?;
        }
        fs::rename(&new, &self.path).during(self.cannot("write"))?;
        Ok(match (is_ours, is_other) {
            (true, _) => Installed::Again,
            (_, true) => Installed::After(self.kept.clone()),
            _ => Installed::Alone,
        })
    }

    /// Removes our hook; what was there before takes its place again.
    pub fn uninstall(&self) -> Result<Removed, CommandError> {
        if !self.is_ours()? {
            return Ok(Removed::Nothing);
        }
        if self.kept.symlink_metadata().is_ok() {
            fs::rename(&self.kept, &self.path).during(self.cannot("restore"))?;
            return Ok(Removed::Restored);
        }
        fs::remove_file(&self.path).during(self.cannot("remove"))?;
        Ok(Removed::Ours)
    }

    fn cannot(&self, action: &str) -> String {
        format!("cannot {action} the hook {}", self.path.display())
    }
}

fn write_executable(path: &Path) -> std::io::Result<()> {
    fs::write(path, SCRIPT)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
