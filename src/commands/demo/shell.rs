//! The demo's terminal session: each command is shown, run, and held to its exit code.
//!
//! The only file of the command floor that starts programs: git and this program itself, in the demo's own folder,
//! away from the user's settings.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::context::{Context, Terminal};
use super::super::error::{CommandError, During};
use crate::exit::Exit;
use crate::report::table::{Tone, paint};

/// A folder and the programs that run in it.
pub struct Shell<'a, 'b> {
    folder: PathBuf,
    program: PathBuf,
    context: &'a mut Context<'b>,
}

/// A sentence in lines of at most `width` characters, broken between words.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

impl<'a, 'b> Shell<'a, 'b> {
    /// Runs `program` and git in `folder`.
    pub fn new(folder: &Path, program: &Path, context: &'a mut Context<'b>) -> Self {
        Self { folder: folder.to_owned(), program: program.to_owned(), context }
    }

    /// A sentence between the commands.
    pub fn say(&mut self, text: &str) -> Result<(), CommandError> {
        let Terminal { color, width, .. } = self.context.terminal;
        writeln!(self.context.out)?;
        for line in lines(text, width.unwrap_or(usize::MAX).saturating_sub(2)) {
            writeln!(self.context.out, "{}", paint(&format!("# {line}"), Tone::Strong, color))?;
        }
        Ok(self.context.out.flush()?)
    }

    /// Writes a file of the repository.
    pub fn write(&mut self, name: &str, text: &str) -> Result<(), CommandError> {
        fs::write(self.folder.join(name), text).during(format!("cannot write {name}"))
    }

    /// Commits everything.
    pub fn commit(&mut self, message: &str) -> Result<(), CommandError> {
        self.git(&["add", "-A"])?;
        self.show(&format!("git commit -m '{message}'"))?;
        self.git(&["commit", "-q", "-m", message]).map(drop)
    }

    /// Runs git without showing it; it must succeed.
    pub fn git(&mut self, arguments: &[&str]) -> Result<Output, CommandError> {
        let output = self.start(OsStr::new("git"), arguments)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(CommandError::failure(format!(
            "git {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )))
    }

    /// Runs git and shows it.
    pub fn show_git(&mut self, arguments: &[&str]) -> Result<(), CommandError> {
        self.show(&format!("git {}", arguments.join(" ")))?;
        let output = self.git(arguments)?;
        Ok(self.context.out.write_all(&output.stdout)?)
    }

    /// Runs `git ratchet …`, shows what it prints, and fails unless it ends as expected: a demo that lies is worse
    /// than none.
    pub fn ratchet(&mut self, arguments: &[&str], expected: Exit) -> Result<(), CommandError> {
        let shown: Vec<String> = arguments.iter().map(|word| shell_words::quote(word).into_owned()).collect();
        self.show(&format!("git ratchet {}", shown.join(" ")))?;
        let color = if self.context.terminal.color { "--color=always" } else { "--color=never" };
        let program = self.program.clone();
        let output = self.start(program.as_os_str(), &[&[color], arguments].concat())?;
        self.context.out.write_all(&output.stdout)?;
        let code = output.status.code();
        if code == Some(expected.code().into()) {
            let told = if expected == Exit::Holds { String::new() } else { format!("(exit code {})\n", expected.code()) };
            return Ok(self.context.out.write_all(told.as_bytes())?);
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(CommandError::failure(format!(
            "git ratchet {} ended with {code:?} instead of {}\n{message}",
            arguments.join(" "),
            expected.code()
        ))
        .with_hint("the demo measures for real: on a very busy computer run it again"))
    }

    fn show(&mut self, command: &str) -> Result<(), CommandError> {
        let Terminal { color, .. } = self.context.terminal;
        writeln!(self.context.out, "{}", paint(&format!("$ {command}"), Tone::Dim, color))?;
        Ok(self.context.out.flush()?)
    }

    fn start(&self, program: &OsStr, arguments: &[&str]) -> Result<Output, CommandError> {
        #[expect(clippy::disallowed_methods, reason = "the demo is a terminal session: it starts what a user would type")]
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(arguments);
        for name in self.context.env.keys().filter(|name| name.starts_with("GIT_")) {
            command.env_remove(name);
        }
        let nowhere = self.folder.join(".git").join("no-such-file");
        command.env("GIT_CONFIG_GLOBAL", nowhere).env("GIT_CONFIG_NOSYSTEM", "1").env("PATH", self.path_with_program());
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Demo").env(format!("GIT_{role}_EMAIL"), "demo@example.org");
        }
        command.output().during(format!("cannot start {}", program.display()))
    }

    /// The search path with this program's folder first, so that the demo's settings can name it as a user would.
    fn path_with_program(&self) -> std::ffi::OsString {
        let own = self.program.parent().map(Path::as_os_str).unwrap_or_default().to_owned();
        let mut path = own;
        if let Some(rest) = self.context.env("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(lines("a slower change fails", 8), ["a slower", "change", "fails"]);
        assert_eq!(lines("a slower change fails", usize::MAX), ["a slower change fails"]);
        assert_eq!(lines("unbreakable", 3), ["unbreakable"]);
    }
}
