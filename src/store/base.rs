//! Which revision a check compares with: the order of the design, each step named in the answer.

use super::objects::ours;
use super::{Store, StoreError};
use crate::model::ObjectId;

/// What the user and the settings say about the base.
#[derive(Debug, Clone, Default)]
pub struct BaseRequest {
    /// `--against REV`: counts before everything else.
    pub against: Option<String>,
    /// `base` of `ratchet.toml`; git's `ratchet.base` wins over it.
    pub configured: Option<String>,
}

/// Where a base came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseSource {
    /// `--against`.
    Against,
    /// `git config ratchet.base`.
    GitConfig,
    /// `ratchet.toml`.
    Settings,
    /// The branch that the remote's `HEAD` names.
    RemoteHead,
    /// The upstream of the current branch.
    Upstream,
    /// A branch called `main` or `master`.
    CommonName,
}

/// What a check compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The revision as a person would write it: `origin/main`.
    pub rev_name: String,
    /// Its commit.
    pub commit: ObjectId,
    /// Where it came from.
    pub source: BaseSource,
}

impl Store {
    /// The base: `--against`, else `ratchet.base` of git's configuration, else of the settings, else the branch of the
    /// remote's `HEAD`, else the upstream, else `main` or `master`, here or on the remote.
    ///
    /// A name that was given and is not known is an error; the search goes on only where nothing was given.
    pub fn base(&self, request: &BaseRequest) -> Result<Base, StoreError> {
        let given = [
            (request.against.clone(), BaseSource::Against),
            (self.git_setting("ratchet.base"), BaseSource::GitConfig),
            (request.configured.clone(), BaseSource::Settings),
        ];
        if let Some((Some(name), source)) = given.into_iter().find(|(name, _)| name.is_some()) {
            return self.given_base(&name, source);
        }
        let found = [(self.remote_head()?, BaseSource::RemoteHead), (self.upstream()?, BaseSource::Upstream)];
        for (name, source) in found {
            if let Some(base) = name.and_then(|name| self.base_at(&name, source)) {
                return Ok(base);
            }
        }
        self.common_base()?.ok_or(StoreError::NoBase)
    }

    /// The remote that results are exchanged with: `ratchet.remote`, else the current branch's, else `origin`, else
    /// the only one there is.
    pub fn remote(&self) -> Result<Option<String>, StoreError> {
        if let Some(name) = self.git_setting("ratchet.remote") {
            return Ok(Some(name));
        }
        let names: Vec<String> = self.repo.remote_names().into_iter().map(|name| name.to_string()).collect();
        let of_branch = match self.refs.head_branch(&self.repo)? {
            Some(branch) => self.git_setting(&format!("branch.{}.remote", branch.trim_start_matches("refs/heads/"))),
            None => None,
        };
        if let Some(name) = of_branch.filter(|name| names.contains(name)) {
            return Ok(Some(name));
        }
        let origin = names.iter().find(|name| *name == "origin").cloned();
        Ok(origin.or_else(|| if names.len() == 1 { names.into_iter().next() } else { None }))
    }

    /// A base that somebody named. Continuous integration often has `origin/main` and no `main`, so a name that is
    /// unknown here is looked for on the remote.
    fn given_base(&self, name: &str, source: BaseSource) -> Result<Base, StoreError> {
        let error = match self.resolve(name) {
            Ok(commit) => return Ok(Base { rev_name: name.to_owned(), commit, source }),
            Err(error) => error,
        };
        let on_remote = self.remote()?.and_then(|remote| self.base_at(&format!("refs/remotes/{remote}/{name}"), source));
        on_remote.ok_or(error)
    }

    /// The base at a full ref name, if that names a commit.
    fn base_at(&self, full_name: &str, source: BaseSource) -> Option<Base> {
        let id = self.find_ref(full_name).ok()??;
        let commit = self.repo.find_object(id).ok()?.peel_to_kind(gix::object::Kind::Commit).ok()?.id;
        let shown = full_name.trim_start_matches("refs/").trim_start_matches("remotes/").trim_start_matches("heads/");
        Some(Base { rev_name: shown.to_owned(), commit: ours(commit), source })
    }

    /// The tracking branch that the remote's `HEAD` names, in full.
    fn remote_head(&self) -> Result<Option<String>, StoreError> {
        match self.remote()? {
            Some(remote) => self.refs.symbolic(&self.repo, &format!("refs/remotes/{remote}/HEAD")),
            None => Ok(None),
        }
    }

    /// The tracking branch of the current branch, in full.
    fn upstream(&self) -> Result<Option<String>, StoreError> {
        let Some(branch) = self.refs.head_branch(&self.repo)? else {
            return Ok(None);
        };
        // The upstream of a branch that follows another one here is no tracking branch.
        let setting = |key: &str| self.git_setting(&format!("branch.{}.{key}", branch.trim_start_matches("refs/heads/")));
        if setting("remote").is_some_and(|remote| remote == ".") {
            return Ok(setting("merge"));
        }
        let Ok(name) = gix::refs::FullName::try_from(branch) else {
            return Ok(None);
        };
        let tracking = self.repo.branch_remote_tracking_ref_name(name.as_ref(), gix::remote::Direction::Fetch);
        Ok(tracking.and_then(Result::ok).map(|name| name.as_bstr().to_string()))
    }

    fn common_base(&self) -> Result<Option<Base>, StoreError> {
        let remote = self.remote()?;
        let names = ["main", "master"];
        let here = names.iter().map(|name| format!("refs/heads/{name}"));
        let there = remote.iter().flat_map(|remote| names.map(|name| format!("refs/remotes/{remote}/{name}")));
        Ok(here.chain(there).find_map(|name| self.base_at(&name, BaseSource::CommonName)))
    }
}
