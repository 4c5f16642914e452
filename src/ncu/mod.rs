//! Nsight Compute: finding it, asking whether it may profile, running it, reading what it counted.
//!
//! [`Ncu`] is the program; [`Ncu::profile`] runs a command under it and hands back one
//! [`KernelProfile`](crate::model::KernelProfile) for each kernel, with the counters of
//! [`KEY_METRICS`](crate::profile::KEY_METRICS). Reading (`csv`, `select`) is pure. This module decides nothing,
//! knows neither git nor settings, and starts programs only through [`harness`](crate::harness).

mod command;
pub mod csv;
mod diagnosis;
mod error;
mod find;
mod number;
mod permission;
mod run;
mod select;
mod unit;

#[cfg(test)]
mod tests;

pub use command::ProfileRequest;
pub use error::NcuError;
pub use find::{Ncu, Places};
pub use permission::Permission;
pub use run::{Profiled, Surroundings};
pub use select::{kernel_profiles, largest_kernels};
