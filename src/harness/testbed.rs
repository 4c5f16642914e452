//! Facts about where things run.

use std::path::PathBuf;

use crate::model::{InvalidValue, Testbed};

/// Where facts are read from, and the user's label.
#[derive(Debug, Clone)]
pub struct TestbedOptions {
    /// The root under which `/proc`, `/sys` and `/etc` are read: `/`, or a copy.
    pub root: PathBuf,
    /// Added to the key.
    pub label: Option<String>,
}

impl Default for TestbedOptions {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), label: None }
    }
}

/// Where this process runs.
pub fn testbed(options: &TestbedOptions) -> Result<Testbed, InvalidValue> {
    Testbed::new(options.label.clone().unwrap_or_default(), Default::default())
}
