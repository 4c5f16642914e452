//! Rooflines: how fast a kernel could be at best, by the work that it does for each byte that it moves.
//!
//! - [`Precision`] is what arithmetic is done in; every precision has a roof of its own;
//! - [`Architecture`] holds what a multiprocessor does per clock, the one table of rates;
//! - [`Gpu`] holds what NVIDIA's datasheets say of a chip;
//! - [`Roofs`] are the limits of one testbed: given, measured, from a datasheet, in this order;
//! - [`Kernel`] is a measured kernel, [`Standing`] says which roof holds it and how far below it is.
//!
//! The model is that of Williams, Waterman and Patterson (Communications of the ACM 52, 2009): a kernel that does I
//! operations for each byte is no faster than min(peak rate, I × peak bandwidth). Everything here is pure.

mod architecture;
mod datasheet;
mod kernel;
mod measured;
mod precision;
mod roofs;

#[cfg(test)]
mod tests;

pub use architecture::Architecture;
pub use datasheet::{GPUS, Gpu};
pub use kernel::{Bound, Kernel, Standing, WorkSource};
pub use measured::{Evidence, kernels, measured_roofs};
pub use precision::{ParsePrecisionError, Precision};
pub use roofs::{Limit, Roof, RoofSource, Roofs};
