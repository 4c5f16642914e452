//! A GPU as a testbed: which results may be compared with which.

use super::worker::Opened;
use crate::model::{InvalidValue, Testbed};

/// What holds the clock of the multiprocessors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// Nothing that we know of: it follows load, temperature and power.
    Free,
    /// Locked to the clock that the device holds at its power limit.
    LockedAtBase,
    /// Locked to this many MHz.
    LockedAt(u32),
}

impl ClockState {
    /// The state that the key of a GPU's testbed tells; `None` where it is none.
    pub fn of_key(key: &str) -> Option<Self> {
        let state = key.split(" · ").nth(1)?;
        match state {
            "clocks not locked" => Some(Self::Free),
            "clocks locked at base" => Some(Self::LockedAtBase),
            _ => state.strip_prefix("clocks locked at ")?.strip_suffix(" MHz")?.parse().ok().map(Self::LockedAt),
        }
    }
}

/// The testbed of an open device. The key is `<GPU name> · <clock state>`, with ` · <label>` where there is a label; a MIG
/// slice has its profile in its name. `further` are facts that others know: the host's, the compiler's version.
pub fn testbed(
    opened: &Opened,
    clocks: ClockState,
    label: Option<&str>,
    further: impl IntoIterator<Item = (String, String)>,
) -> Result<Testbed, InvalidValue> {
    let state = match clocks {
        ClockState::Free => "clocks not locked".to_owned(),
        ClockState::LockedAtBase => "clocks locked at base".to_owned(),
        ClockState::LockedAt(mhz) => format!("clocks locked at {mhz} MHz"),
    };
    let mut key = format!("{} · {state}", opened.properties.name);
    if let Some(label) = label {
        key.push_str(" · ");
        key.push_str(label);
    }
    let mut facts: std::collections::BTreeMap<String, String> = further.into_iter().collect();
    facts.extend(opened.facts.clone());
    facts.insert("gpu_clocks".to_owned(), state);
    Testbed::new(key, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::peaks::tests::h200;

    #[test]
    fn the_key_is_name_clocks_and_label() {
        let opened = Opened { properties: h200(), ..Opened::default() };
        let key = |clocks, label| testbed(&opened, clocks, label, []).unwrap().key().to_owned();
        assert_eq!(key(ClockState::Free, None), "NVIDIA H200 · clocks not locked");
        assert_eq!(key(ClockState::LockedAt(1500), Some("rack 3")), "NVIDIA H200 · clocks locked at 1500 MHz · rack 3");
        for state in [ClockState::Free, ClockState::LockedAtBase, ClockState::LockedAt(1980)] {
            assert_eq!(ClockState::of_key(&key(state, Some("rack 3"))), Some(state));
        }
        assert_eq!(ClockState::of_key("AMD EPYC · 2 cores"), None);
        assert_ne!(key(ClockState::LockedAtBase, None), key(ClockState::Free, None));
    }
}
