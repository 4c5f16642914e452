//! What NVML tells of a GPU: its limits, and whether it slows itself down while it works; and the lock of its clocks.
//!
//! NVML is a second library of the driver, and may be absent or forbidden where CUDA works. Then nothing is told, and
//! everything else goes on.

use std::collections::BTreeMap;

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::enums::device::GpuLockedClocksSetting;
use nvml_wrapper::error::NvmlError;

/// Who looks after a device.
pub trait Watch {
    /// Why the device runs slower than it could for want of cooling or current, if it does. The power limit of a device
    /// that works at its limit is not among these: that is its speed.
    ///
    /// Asked once a batch, so nothing else is asked with it: some answers of NVML take milliseconds.
    fn slowdown(&self) -> Option<&'static str>;
}

/// Looks after nothing: no NVML.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn slowdown(&self) -> Option<&'static str> {
        None
    }
}

/// A device as NVML knows it.
pub struct NvmlWatch {
    nvml: Nvml,
    uuid: String,
}

/// Slowdowns that spoil a measurement, with what is said of them.
const SLOWDOWNS: [(ThrottleReasons, &str); 5] = [
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hardware thermal slowdown"),
    (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "power brake slowdown"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "thermal slowdown"),
    (ThrottleReasons::HW_SLOWDOWN, "hardware slowdown"),
    (ThrottleReasons::SYNC_BOOST, "held back by another GPU (sync boost)"),
];

impl NvmlWatch {
    /// Finds the device with the UUID that CUDA tells.
    ///
    /// # Errors
    /// NVML is absent, or does not know the device. That is a fact to tell, not a failure.
    pub fn find(uuid: &str) -> Result<Self, NvmlError> {
        let nvml = Nvml::init()?;
        // A slice of a GPU has the same number behind another prefix.
        let slice = uuid.replacen("GPU-", "MIG-", 1);
        let known = [uuid, slice.as_str()].into_iter().find(|name| nvml.device_by_uuid(*name).is_ok());
        let uuid = known.ok_or(NvmlError::NotFound)?.to_owned();
        Ok(Self { nvml, uuid })
    }

    fn device(&self) -> Result<nvml_wrapper::Device<'_>, NvmlError> {
        self.nvml.device_by_uuid(self.uuid.as_str())
    }

    /// What does not change while a run lasts, as facts of a testbed.
    pub fn facts(&self) -> BTreeMap<String, String> {
        let Ok(device) = self.device() else { return BTreeMap::new() };
        let mhz = |clock: u32| format!("{clock} MHz");
        let watts = |milliwatts: u32| format!("{} W", milliwatts / 1000);
        let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
        let facts = [
            ("gpu_clock_max", device.max_clock_info(Clock::SM).ok().map(mhz)),
            ("gpu_memory_clock_max", device.max_clock_info(Clock::Memory).ok().map(mhz)),
            ("gpu_power_limit", device.enforced_power_limit().ok().map(watts)),
            ("gpu_ecc", device.is_ecc_enabled().ok().map(|state| on_off(state.currently_enabled))),
            ("gpu_mig", device.mig_mode().ok().map(|mode| on_off(mode.current != 0))),
            // Of Linux alone.
            #[cfg(target_os = "linux")]
            ("gpu_persistence", device.is_in_persistent_mode().ok().map(on_off)),
            ("gpu_vbios", device.vbios_version().ok()),
            ("driver", self.nvml.sys_driver_version().ok()),
        ];
        facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect()
    }

    /// Locks the clock of the multiprocessors until the guard is dropped: to this many MHz, or to the clock that the
    /// device can hold at its power limit.
    ///
    /// # Errors
    /// Not permitted (it takes root), or not supported.
    pub fn lock_clocks(&self, mhz: Option<u32>) -> Result<LockedClocks<'_>, NvmlError> {
        let setting = match mhz {
            Some(mhz) => GpuLockedClocksSetting::Numeric { min_clock_mhz: mhz, max_clock_mhz: mhz },
            None => GpuLockedClocksSetting::Symbolic {
                lower_bound: nvml_wrapper::enum_wrappers::device::ClockLimitId::Tdp,
                upper_bound: nvml_wrapper::enum_wrappers::device::ClockLimitId::Tdp,
            },
        };
        let mut device = self.device()?;
        device.set_gpu_locked_clocks(setting)?;
        Ok(LockedClocks { device })
    }
}

impl Watch for NvmlWatch {
    fn slowdown(&self) -> Option<&'static str> {
        let reasons = self.device().and_then(|device| device.current_throttle_reasons()).ok()?;
        SLOWDOWNS.iter().find(|(reason, _)| reasons.contains(*reason)).map(|(_, said)| *said)
    }
}

/// Locked clocks. Dropped, they are what they were.
pub struct LockedClocks<'a> {
    device: nvml_wrapper::Device<'a>,
}

impl Drop for LockedClocks<'_> {
    fn drop(&mut self) {
        // Nobody is left to be told; the next lock or a reboot resets them, too.
        let _ = self.device.reset_gpu_locked_clocks();
    }
}
