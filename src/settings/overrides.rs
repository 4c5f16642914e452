//! Settings from above the file: `git config ratchet.*`, and whatever the command layer takes from flags.

use std::collections::BTreeMap;

use super::{BaselineMode, ConfirmMode, HistoryMode, PartialThresholds, Place, Settings, SettingsError, values};

/// Settings that stand above `ratchet.toml`; what is absent leaves the file's value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// `ratchet.base`.
    pub base: Option<String>,
    /// `ratchet.history`: `first-parent` or `all`.
    pub history: Option<HistoryMode>,
    /// `ratchet.baseline`: `level` or `best-run`.
    pub baseline: Option<BaselineMode>,
    /// `ratchet.confirm`: `true`, `false` or `ci`.
    pub confirm: Option<ConfirmMode>,
    /// `ratchet.incremental`: whether worktrees may move from commit to commit with what is built in them.
    pub incremental: Option<bool>,
    /// `ratchet.keepWorktrees`: how many are kept. Not a key of the file: they take room on one's own disk.
    pub keep_worktrees: Option<usize>,
    /// `ratchet.testbed`: the label in the testbed key.
    pub testbed: Option<String>,
    /// `ratchet.regression`, in percent: above every threshold of the file.
    pub regression_percent: Option<f64>,
    /// `ratchet.improvement`, in percent: above every threshold of the file.
    pub improvement_percent: Option<f64>,
    /// `ratchet.fleet.NAME.slurm`: the options of a place, in one line; they replace those of the file.
    pub fleet: BTreeMap<String, Place>,
}

impl Overrides {
    /// Reads what `git config` says under `ratchet.`; where a key is there several times, the last counts, as in git.
    /// Keys are compared without regard to case, the
    /// names of places with it. Keys that are not settings (hooks, remotes) are somebody else's.
    pub fn from_git_config<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, SettingsError> {
        let mut overrides = Self::default();
        for (key, value) in entries {
            overrides.set(key, value).map_err(|message| SettingsError::GitConfig { key: key.to_owned(), message })?;
        }
        Ok(overrides)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let text = || values::Text::try_from(value.to_owned()).map(|text| text.0);
        if let Some(name) = key.strip_prefix("ratchet.fleet.").and_then(|rest| rest.strip_suffix(".slurm")) {
            self.fleet.insert(name.to_owned(), Place::of_line(value)?);
            return Ok(());
        }
        match key.to_ascii_lowercase().as_str() {
            "ratchet.base" => self.base = Some(text()?),
            "ratchet.history" => self.history = Some(HistoryMode::try_from(value.to_owned())?),
            "ratchet.baseline" => self.baseline = Some(BaselineMode::try_from(value.to_owned())?),
            "ratchet.confirm" => self.confirm = Some(value.parse()?),
            "ratchet.incremental" => self.incremental = Some(boolean(value)?),
            "ratchet.keepworktrees" => self.keep_worktrees = Some(number(value)?),
            "ratchet.testbed" => self.testbed = Some(text()?),
            "ratchet.regression" => self.regression_percent = Some(percent(value)?),
            "ratchet.improvement" => self.improvement_percent = Some(percent(value)?),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn apply(&self, settings: &mut Settings) {
        settings.base = self.base.clone().or(settings.base.take());
        settings.history = self.history.unwrap_or(settings.history);
        settings.baseline = self.baseline.unwrap_or(settings.baseline);
        settings.confirm = self.confirm.unwrap_or(settings.confirm);
        settings.incremental = self.incremental.unwrap_or(settings.incremental);
        settings.keep_worktrees = self.keep_worktrees.unwrap_or(settings.keep_worktrees);
        settings.testbed = self.testbed.clone().or(settings.testbed.take());
        settings.fleet.extend(self.fleet.clone());
        let thresholds =
            PartialThresholds { regression_percent: self.regression_percent, improvement_percent: self.improvement_percent };
        settings.overriding = thresholds.or(settings.overriding);
    }
}

/// As git writes them.
fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "false" | "no" | "off" | "0" => Ok(false),
        "true" | "yes" | "on" | "1" => Ok(true),
        _ => Err(format!("`{value}` is neither true nor false")),
    }
}

fn number(value: &str) -> Result<usize, String> {
    value.trim().parse().map_err(|_| format!("`{value}` is not a number of worktrees: write one such as 8, or 0 for none"))
}

fn percent(value: &str) -> Result<f64, String> {
    let number = value.trim().trim_end_matches('%').trim_end();
    let number = number.parse().map_err(|_| format!("`{value}` is not a percentage: write a number such as 3"))?;
    values::percent(number)
}
