//! Kernels run in a process of their own: one that hangs, or breaks the device's context, costs one config and not the
//! run.
//!
//! The worker is this program, started again. [`protocol`] says what goes over its pipes, a line of JSON each way;
//! [`serve()`] is its side, and `client` starts it, asks it, and kills it when it takes too long.

mod client;
mod protocol;
mod serve;

#[cfg(test)]
pub(in crate::cuda) mod tests;

pub use client::{Worker, WorkerError, WorkerOptions};
pub use protocol::{Failure, FailureKind, Opened};
pub use serve::{keep_clocks, serve};

pub(in crate::cuda) use protocol::{Reply, Request};
