//! The demo's terminal session: each command is shown, run, and held to its exit code.
//!
//! The only file of the command floor that starts programs: git and this program itself, in the demo's own folder,
//! away from the user's settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::context::{Context, Terminal};
use super::super::error::{CommandError, During};
use crate::exit::Exit;
use crate::report::table::{Tone, paint};

/// How a command ends whose measurements are not what they should be.
const VERDICTS: [Exit; 3] = [Exit::Holds, Exit::Regression, Exit::NoVerdict];

/// A folder and the programs that run in it.
pub struct Shell<'a, 'b> {
    folder: PathBuf,
    program: String,
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
    pub fn new(folder: &Path, program: &str, context: &'a mut Context<'b>) -> Self {
        Self { folder: folder.to_owned(), program: program.to_owned(), context }
    }

    /// Where this program lies.
    pub fn program(&self) -> &str {
        &self.program
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
        let output = self.start("git", arguments)?;
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
        let output = self.start(&self.program, &[&[color], arguments].concat())?;
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
        .with_hint(match code.map(u8::try_from) {
            Some(Ok(code)) if VERDICTS.iter().any(|verdict| verdict.code() == code) => {
                "the demo measures for real: on a very busy computer run it again"
            }
            _ => "git ratchet doctor says what is missing here",
        }))
    }

    fn show(&mut self, command: &str) -> Result<(), CommandError> {
        let Terminal { color, .. } = self.context.terminal;
        writeln!(self.context.out, "{}", paint(&format!("$ {command}"), Tone::Dim, color))?;
        Ok(self.context.out.flush()?)
    }

    fn start(&self, program: &str, arguments: &[&str]) -> Result<Output, CommandError> {
        #[expect(clippy::disallowed_methods, reason = "the demo is a terminal session: it starts what a user would type")]
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(arguments);
        for name in self.context.env.keys().filter(|name| name.starts_with("GIT_")) {
            command.env_remove(name);
        }
        // What it prints is shown on this terminal.
        if let Some(width) = self.context.terminal.width {
            command.env("GIT_PAGER_IN_USE", "true").env("COLUMNS", width.to_string());
        }
        let nowhere = self.folder.join(".git").join("no-such-file");
        command.env("GIT_CONFIG_GLOBAL", nowhere).env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Demo").env(format!("GIT_{role}_EMAIL"), "demo@example.org");
        }
        command.output().during(format!("cannot start {program}"))
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
