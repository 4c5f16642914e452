//! Git's word on signatures, and what it rests on: who may sign, and which keys were taken back.

use std::collections::HashMap;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest, Sha256};

use super::AllowedSigners;
use super::introduced::SignedCommit;
use crate::model::ObjectId;
use crate::store::{Store, StoreError};

/// Files in gpg's folder that change with its keys and with whom it trusts.
const KEYRING: [&str; 5] = ["pubring.kbx", "pubring.gpg", "public-keys.d/pubring.db", "trustdb.gpg", "gpg.conf"];

/// Git's settings on which its word depends, beside the files that two of them name.
const SETTINGS: [&str; 5] = ["gpg.program", "gpg.openpgp.program", "gpg.x509.program", "gpg.ssh.program", "gpg.minTrustLevel"];

const SECONDS_OF_A_DAY: i64 = 86_400;

/// What git's word rests on, as hashes; for each kind of signature where that can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SignerKeys {
    pub(super) ssh: String,
    pub(super) other: String,
}

impl Store {
    /// Where git looks for those who may sign with ssh keys.
    pub fn allowed_signers(&self) -> AllowedSigners {
        let Some(path) = self.path_setting("gpg.ssh.allowedSignersFile") else { return AllowedSigners::NotSet };
        let is_inside = |root: &Path| {
            let both = path.canonicalize().ok().zip(root.canonicalize().ok());
            both.is_some_and(|(path, root)| path.starts_with(root) && !path.starts_with(self.common_dir()))
        };
        match fs::File::open(&path) {
            Err(_) => AllowedSigners::Missing(path),
            Ok(_) if self.work_dir().is_some_and(is_inside) => AllowedSigners::InWorkTree(path),
            Ok(_) => AllowedSigners::File(path),
        }
    }

    /// What git's word on a signature depends on now. That of gpg's also on the day: its keys expire.
    pub(super) fn signer_keys(&self) -> SignerKeys {
        let mut hash = Sha256::new();
        for key in SETTINGS {
            part(&mut hash, self.git_setting(key).map(String::into_bytes));
        }
        let mut other = hash.clone();
        for key in ["gpg.ssh.allowedSignersFile", "gpg.ssh.revocationFile"] {
            let path = self.path_setting(key);
            part(&mut hash, path.as_ref().map(|path| path.as_os_str().as_encoded_bytes().to_vec()));
            part(&mut hash, path.and_then(|path| fs::read(path).ok()));
        }
        for file in KEYRING {
            let metadata = gpg_home().and_then(|home| fs::metadata(home.join(file)).ok());
            part(&mut other, metadata.map(|metadata| format!("{} {:?}", metadata.len(), metadata.modified()).into_bytes()));
        }
        let day = gix::date::Time::now_utc().seconds / SECONDS_OF_A_DAY;
        part(&mut other, Some(day.to_string().into_bytes()));
        let hex = |hash: Sha256| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        SignerKeys { ssh: hex(hash), other: hex(other) }
    }

    /// A path of git's configuration, as git takes it: relative to the root of the work tree.
    fn path_setting(&self, key: &str) -> Option<PathBuf> {
        let path = self.repo.config_snapshot().trusted_path(key).ok().flatten()?;
        Some(self.work_dir().unwrap_or(self.git_dir()).join(path))
    }

    /// Asks git about the signatures on which it was not asked yet, on all cores.
    pub(super) fn verify(&self, commits: &mut [SignedCommit]) -> Result<(), StoreError> {
        let open: Vec<ObjectId> = commits.iter().filter(|commit| commit.good.is_none()).map(|commit| commit.id).collect();
        if open.is_empty() {
            return Ok(());
        }
        let least = self.git_setting("gpg.minTrustLevel").map(|level| trust_level(&level.to_ascii_lowercase()));
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        // Without the file git 2.39 does not answer at all (its bug: `%GT` of a signature that it could not look at). An
        // empty one allows nobody, too.
        let nobody: &[&str] = match self.allowed_signers() {
            AllowedSigners::NotSet | AllowedSigners::Missing(_) => &["-c", "gpg.ssh.allowedSignersFile=/dev/null"],
            AllowedSigners::File(_) | AllowedSigners::InWorkTree(_) => &[],
        };
        let git = &self.git;
        let ask = |ids: &[ObjectId]| {
            let list: String = ids.iter().map(|id| format!("{id}\n")).collect();
            let arguments = [
                "-c",
                "log.showSignature=false",
                "log",
                "--no-walk=unsorted",
                "--no-patch",
                "--no-color",
                "--format=%H %G? %GT",
                "--stdin",
            ];
            git.ask_with(&[nobody, &arguments].concat(), list.as_bytes())
        };
        let answers = thread::scope(|scope| {
            let ask = &ask;
            let asked: Vec<_> = open.chunks(open.len().div_ceil(threads)).map(|ids| scope.spawn(move || ask(ids))).collect();
            let answers = asked.into_iter().map(|asked| asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            answers.collect::<Result<Vec<_>, _>>()
        })?;
        let mut verdicts: HashMap<ObjectId, bool> = HashMap::new();
        for answer in &answers {
            if answer.code != Some(0) {
                return Err(StoreError::GitFailed { command: "log".into(), code: answer.code, stderr: answer.stderr.clone() });
            }
            let text = String::from_utf8_lossy(&answer.stdout);
            verdicts.extend(text.lines().filter_map(|line| verdict(line, least)));
        }
        for commit in commits.iter_mut().filter(|commit| commit.good.is_none()) {
            commit.good = Some(verdicts.get(&commit.id).copied().unwrap_or(false));
        }
        Ok(())
    }
}

/// One line of git's: id, letter, level. Only `G` is good: a valid signature by a key that was not taken back, is not past its
/// time, and is known. `U` is as valid, by a key that nobody here allowed.
fn verdict(line: &str, least: Option<Option<usize>>) -> Option<(ObjectId, bool)> {
    let mut words = line.split(' ');
    let (id, letter, level) = (words.next()?.parse().ok()?, words.next()?, words.next());
    let is_trusted = match least {
        None => true,
        // A level that nobody knows asks for more than any key has.
        Some(least) => least.zip(level.and_then(trust_level)).is_some_and(|(least, level)| level >= least),
    };
    Some((id, letter == "G" && is_trusted))
}

/// The levels of `gpg.minTrustLevel`, ascending.
fn trust_level(word: &str) -> Option<usize> {
    ["undefined", "never", "marginal", "fully", "ultimate"].iter().position(|known| *known == word)
}

/// Parts that are there, and how long they are: no two lists give the same bytes.
fn part(hash: &mut Sha256, bytes: Option<Vec<u8>>) {
    hash.update(bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
    hash.update(bytes.unwrap_or_default());
}

fn gpg_home() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "gpg's own variable, which git passes on to it")]
    let named = std::env::var_os("GNUPGHOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| std::env::home_dir().map(|home| home.join(".gnupg")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(letter: &str, level: &str, least: Option<&str>, expected: bool) {
        let id = "0123456789012345678901234567890123456789";
        let found = verdict(&format!("{id} {letter} {level}"), least.map(trust_level));
        assert_eq!(found, Some((id.parse().unwrap(), expected)), "{letter} {level} {least:?}");
    }

    #[test]
    fn only_a_good_signature_of_a_trusted_key_is_good() {
        check("G", "fully", None, true);
        check("G", "marginal", Some("marginal"), true);
        check("G", "marginal", Some("fully"), false);
        check("G", "fully", Some("no such level"), false);
        check("G", "%GT", None, true);
        check("G", "%GT", Some("fully"), false);
        for letter in ["U", "X", "Y", "R", "B", "E", "N", ""] {
            check(letter, "ultimate", None, false);
        }
        assert_eq!(verdict("no id G fully", None), None);
    }
}
