//! Notes of other repositories: brought by the user's own git, and sent by it without force.
//!
//! What a remote has is kept in `refs/notes/remotes/<remote>/…`, as branches of a remote are. Nothing here writes the
//! local notes but the merge, so a fetch cannot overwrite them, whatever refspecs are configured.

use std::time::{Duration, Instant};

use super::append::{PATIENCE, pause, rest, up_to};
use super::git::Answer;
use super::objects::{ours, theirs};
use super::{Store, StoreError, Surplus};
use crate::model::ObjectId;

/// The code of `git ls-remote --exit-code` for a remote that answers and has no such ref.
const NO_SUCH_REF: i32 = 2;

/// How often a fetch is tried while another git writes the same tracking ref.
const FETCH_ATTEMPTS: u32 = 3;

/// How often a push may end without an answer while the remote still answers a fetch: once may be a connection that was cut.
const MOST_CUTS: u32 = 2;

/// How long a remote may refuse as if others were pushing while nothing there moves, before that is called a leftover lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// What the remote did not have.
    pub sent: Surplus,
    /// What was not here.
    pub received: Surplus,
    /// How many times it was tried: more than one after a lost race.
    pub attempts: u32,
}

impl Store {
    /// The remote to exchange notes with: the named one, else [`Store::remote`].
    pub fn remote_named(&self, name: Option<&str>) -> Result<String, StoreError> {
        let asked = match name {
            Some(name) => Some(name.to_owned()),
            None => self.remote()?,
        };
        let is_known = asked.as_deref().is_some_and(|asked| self.repo.remote_names().iter().any(|name| *name == asked));
        match asked {
            Some(name) if is_known => Ok(name),
            name => Err(StoreError::NoRemote { name }),
        }
    }

    /// Where the notes of a remote are kept here.
    pub fn tracking_ref(&self, remote: &str) -> String {
        let name = self.notes_ref.trim_start_matches("refs/notes/");
        format!("refs/notes/remotes/{remote}/{name}")
    }

    /// The refspec that brings a remote's notes to where they are kept here.
    pub fn notes_refspec(&self, remote: &str) -> String {
        format!("+{}:{}", self.notes_ref, self.tracking_ref(remote))
    }

    /// Lets plain `git fetch` bring the remote's notes to the tracking ref. `false` where it does so already.
    pub fn track_notes(&self, remote: &str) -> Result<bool, StoreError> {
        let key = format!("remote.{remote}.fetch");
        let refspec = self.notes_refspec(remote);
        let present = self.git.ask(&["config", "--get-all", &key])?;
        if String::from_utf8_lossy(&present.stdout).lines().any(|line| line == refspec) {
            return Ok(false);
        }
        self.git.output(&["config", "--add", &key, &refspec]).map(|_| true)
    }

    /// Fetches the remote's notes to the tracking ref and returns its commit; `None` where the remote has none.
    pub fn fetch_notes(&self, remote: &str) -> Result<Option<ObjectId>, StoreError> {
        let refspec = self.notes_refspec(remote);
        // Without the empty refmap, a configured `+refs/notes/*:refs/notes/*` would overwrite the local notes.
        let mut arguments =
            vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--refmap="];
        if self.is_partial() {
            arguments.push("--no-filter");
        }
        arguments.extend(["--", remote, &refspec]);
        let mut attempt = 1;
        loop {
            let answer = self.git.ask(&arguments)?;
            if answer.code == Some(0) {
                return Ok(self.notes_commit(&self.tracking_ref(remote))?.map(ours));
            }
            let listed = self.git.ask(&["ls-remote", "--exit-code", "--", remote, &self.notes_ref])?;
            if listed.code == Some(NO_SUCH_REF) {
                return Ok(None);
            }
            // The remote answers and has the ref: it was pushed after the fetch had looked for it, or another fetch
            // wrote the tracking ref at the same time. Both pass.
            if listed.code != Some(0) {
                return Err(unreachable("fetch from", remote, &answer));
            }
            if attempt == FETCH_ATTEMPTS {
                return Err(StoreError::FetchFailed { remote: remote.to_owned(), said: answer.stderr });
            }
            rest(pause(attempt));
            attempt += 1;
        }
    }

    /// Fetches, merges and pushes, without force, until the remote has everything that is here. `None` where there
    /// are no notes on either side.
    pub fn push_notes(&self, remote: &str) -> Result<Option<Pushed>, StoreError> {
        let began = Instant::now();
        let mut received = Surplus::default();
        let (mut attempts, mut cuts, mut longest) = (0, 0, Duration::ZERO);
        let mut still: Option<(Option<ObjectId>, Instant)> = None;
        // Another attempt is made only if it will end in time, even if it takes twice as long as any before.
        while began.elapsed() + longest * 2 < PATIENCE {
            attempts += 1;
            let attempt_began = Instant::now();
            let there = self.fetch_notes(remote)?;
            let merged = there.map(|there| self.merge_notes(there, remote)).transpose()?;
            let Some(here) = self.notes_commit(&self.notes_ref)?.map(ours) else {
                return Ok(None);
            };
            let sent = merged.map_or_else(|| self.all_notes(here), |merged| Ok(merged.before.here))?;
            received += merged.map(|merged| merged.before.there).unwrap_or_default();
            let pushed = Pushed { sent, received, attempts };
            if there == Some(here) {
                return Ok(Some(pushed));
            }
            match self.push_commit(remote, here)? {
                Sent::Done => return Ok(Some(pushed)),
                Sent::Cut(error) => {
                    cuts += 1;
                    if cuts == MOST_CUTS {
                        return Err(error);
                    }
                }
                Sent::Refused { line, said } => {
                    if !line.is_lost_race() && self.fetch_notes(remote)? == there {
                        let notes_ref = self.notes_ref.clone();
                        return Err(StoreError::PushRefused { remote: remote.to_owned(), notes_ref, reason: line.summary, said });
                    }
                    let (seen, since) = *still.get_or_insert((there, attempt_began));
                    if seen != there {
                        still = None;
                    } else if since.elapsed() > LOCK_PATIENCE {
                        return Err(StoreError::RemoteLocked {
                            remote: remote.to_owned(),
                            seconds: since.elapsed().as_secs(),
                            said,
                        });
                    }
                }
            }
            // Many that push at once keep each other from it, and all of them the computer busy: they spread over a time that
            // grows with what it costs them.
            let took = attempt_began.elapsed();
            longest = longest.max(took);
            rest(up_to((took * 2).min(PATIENCE.saturating_sub(began.elapsed() + longest * 2))));
        }
        Err(StoreError::PushContended { remote: remote.to_owned(), attempts, seconds: began.elapsed().as_secs() })
    }

    /// What a remote without notes would receive.
    pub fn all_notes(&self, commit: ObjectId) -> Result<Surplus, StoreError> {
        let tree = self.tree_of(theirs(commit))?;
        let mut all = Surplus::default();
        for note in self.difference(Some(tree), None)?.notes {
            match self.read_note(note.annotated, note.left.iter().copied()) {
                Ok(bytes) => all.count(&bytes),
                Err(StoreError::NoteTooLarge { .. }) => all.notes += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn push_commit(&self, remote: &str, commit: ObjectId) -> Result<Sent, StoreError> {
        // A mirror takes no refspecs; the notes are still only one ref.
        let mirror = format!("remote.{remote}.mirror=false");
        let refspec = format!("{commit}:{}", self.notes_ref);
        // --no-verify: pushing notes must not enter the pre-push hook, which may be what pushes them.
        let arguments = [
            "-c",
            &mirror,
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            "--",
            remote,
            &refspec,
        ];
        let answer = self.git.ask(&arguments)?;
        if answer.code == Some(0) {
            return Ok(Sent::Done);
        }
        match StatusLine::refused(&answer.stdout) {
            Some(line) => Ok(Sent::Refused { line, said: answer.stderr }),
            None => Ok(Sent::Cut(unreachable("push to", remote, &answer))),
        }
    }

    /// Whether objects are left out when fetching, as `git clone --filter` sets it up.
    pub(super) fn is_partial(&self) -> bool {
        self.repo.config_snapshot().plumbing().sections_by_name("remote").is_some_and(|mut sections| {
            sections.any(|section| section.value("promisor").is_some() || section.value("partialclonefilter").is_some())
        })
    }
}

fn unreachable(action: &'static str, remote: &str, answer: &Answer) -> StoreError {
    StoreError::Unreachable { action, remote: remote.to_owned(), said: answer.stderr.clone() }
}

enum Sent {
    Done,
    /// Git ended without a word on the ref.
    Cut(StoreError),
    Refused {
        line: StatusLine,
        said: String,
    },
}

/// A line of `git push --porcelain` about a ref that was not updated: `!`, the refs, the reason.
#[derive(Debug, PartialEq, Eq)]
struct StatusLine {
    summary: String,
}

impl StatusLine {
    fn refused(stdout: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("!\t"))?;
        let (_refs, summary) = line.split_once('\t')?;
        Some(Self { summary: summary.to_owned() })
    }

    /// `[rejected]` is said on this side, when the remote has what we have not; the other words are those of a remote
    /// whose ref was locked or moved in the very moment of the push.
    fn is_lost_race(&self) -> bool {
        let busy = ["cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists"];
        self.summary.starts_with("[rejected]") || busy.iter().any(|words| self.summary.contains(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(stdout: &str) -> Option<StatusLine> {
        StatusLine::refused(stdout.as_bytes())
    }

    #[test]
    fn the_status_line_tells_a_lost_race_from_a_refusal() {
        let head = "To /tmp/remote\n";
        let line = |summary: &str| refused(&format!("{head}!\tabc:refs/notes/ratchet\t{summary}\nDone\n")).unwrap();
        assert!(line("[rejected] (fetch first)").is_lost_race());
        assert!(line("[remote rejected] (cannot lock ref 'refs/notes/ratchet': is at 1 but expected 2)").is_lost_race());
        assert!(!line("[remote rejected] (pre-receive hook declined)").is_lost_race());
        assert_eq!(refused("To x\n*\tabc:refs/notes/ratchet\t[new reference]\nDone\n"), None);
        assert_eq!(refused(""), None);
        assert_eq!(refused("!\tnothing more"), None);
    }
}
