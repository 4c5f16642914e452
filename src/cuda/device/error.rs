//! What goes wrong on a device.

use std::fmt;

/// Why the device did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// There is no driver library.
    #[error(
        "there is no NVIDIA driver here (libcuda.so.1 was not found); install the driver, and in a container run it with \
         `--gpus all` or the NVIDIA container toolkit"
    )]
    NoDriver,
    /// The library lacks a function.
    #[error("the NVIDIA driver is too old or broken: it lacks {symbol}; kernels need a driver for CUDA {LEAST_VERSION} or later")]
    MissingSymbol {
        /// Its name.
        symbol: &'static str,
    },
    /// The driver is older than what is needed.
    #[error("the NVIDIA driver supports CUDA {}, but kernels need {LEAST_VERSION} or later; update the driver", Version(*found))]
    OldDriver {
        /// 11040 for 11.4.
        found: u32,
    },
    /// The driver works, but there is no device of this number.
    #[error("there is no GPU {wanted}: the NVIDIA driver knows {found}; is CUDA_VISIBLE_DEVICES set?")]
    NoDevice {
        /// The number that was asked for.
        wanted: u32,
        /// How many there are.
        found: u32,
    },
    /// A function of the driver failed.
    #[error("{what} failed: {name} ({code}): {text}")]
    Call {
        /// What was being done.
        what: &'static str,
        /// The driver's code.
        code: u32,
        /// The code's name.
        name: String,
        /// What the driver says about it.
        text: String,
    },
    /// The device lacks what a kernel asks for.
    #[error("this device or driver has no {what}")]
    Unsupported {
        /// What is lacking.
        what: &'static str,
    },
}

/// The least that the driver must support: events, graphs, clusters and tensor maps are then all there.
pub(super) const LEAST_VERSION: Version = Version(12000);

/// A version as CUDA numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// Codes of the driver that are asked for by name.
pub(super) mod code {
    pub(in super::super) const SUCCESS: u32 = 0;
    pub(in super::super) const OUT_OF_MEMORY: u32 = 2;
    pub(in super::super) const NO_DEVICE: u32 = 100;
    pub(in super::super) const STUB_LIBRARY: u32 = 34;
}

impl DeviceError {
    /// Memory ran out; after something was freed, everything works again.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Call { code: code::OUT_OF_MEMORY, .. })
    }

    /// The context is lost: every later call of this process fails.
    ///
    /// These are the errors of kernels themselves (illegal address, failed assertion, illegal instruction, …), of the
    /// memory (uncorrectable), and the unknown one.
    pub fn is_sticky(&self) -> bool {
        matches!(self, Self::Call { code: 214 | 220 | 700 | 702 | 709 | 710 | 714..=719 | 721 | 999, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: u32) -> DeviceError {
        DeviceError::Call { what: "a launch", code, name: String::new(), text: String::new() }
    }

    #[test]
    fn errors_of_kernels_are_sticky_and_those_of_calls_are_not() {
        for code in [700, 710, 716, 719] {
            assert!(failed(code).is_sticky(), "{code}");
        }
        for code in [1, 2, 200, 209, 400, 701, 801, 912] {
            assert!(!failed(code).is_sticky(), "{code}");
        }
        assert!(failed(2).is_out_of_memory());
    }

    #[test]
    fn versions_read_as_cuda_writes_them() {
        assert_eq!(Version(12040).to_string(), "12.4");
        let error = DeviceError::OldDriver { found: 11080 }.to_string();
        assert!(error.contains("CUDA 11.8") && error.contains("12.0"), "{error}");
    }
}
