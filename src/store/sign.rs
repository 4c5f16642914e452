//! Signed notes commits: written by the user's own git, which knows the key, the program and the agent.

use super::{Store, StoreError, Trust};

impl Store {
    /// Whether notes commits are signed: where only what is signed counts, and where git signs every commit.
    pub(super) fn signs(&self) -> bool {
        self.trust == Trust::Signed || self.repo.config_snapshot().boolean("commit.gpgSign").unwrap_or(false)
    }

    /// Whether git was told which key to sign with. Without one, OpenPGP takes the key of the committer, and ssh none.
    pub fn names_signing_key(&self) -> bool {
        let is_ssh = self.git_setting("gpg.format").is_some_and(|format| format == "ssh");
        let names = |key: &str| self.git_setting(key).is_some_and(|value| !value.is_empty());
        !is_ssh || names("user.signingKey") || names("gpg.ssh.defaultKeyCommand")
    }

    /// Writes the commit object through git; the ref is not touched.
    pub(super) fn write_signed_commit(
        &self,
        tree: gix::ObjectId,
        parents: impl IntoIterator<Item = gix::ObjectId>,
        message: &str,
    ) -> Result<gix::ObjectId, StoreError> {
        let mut arguments: Vec<String> = ["commit-tree", "-S", "-F", "-"].map(str::to_owned).to_vec();
        arguments.extend(parents.into_iter().flat_map(|parent| ["-p".to_owned(), parent.to_string()]));
        arguments.push(tree.to_string());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let answer = self.git.ask_with(&arguments, format!("{}\n", message.trim_end()).as_bytes())?;
        let id = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        match gix::ObjectId::from_hex(id.as_bytes()) {
            Ok(commit) if answer.code == Some(0) => Ok(commit),
            _ => Err(StoreError::CannotSign { why: answer.stderr }),
        }
    }
}
