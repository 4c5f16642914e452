//! What a profile says: which counters explain a kernel, and what differs between two profiles.
//!
//! - [`KEY_METRICS`] names the counters that are kept, with titles and meanings;
//! - [`derived`] computes floating-point work and memory traffic from raw counters;
//! - [`findings()`] holds two profiles side by side, the most telling change first.
//!
//! Everything here is pure and makes no verdict: a profile explains a time, the time is judged elsewhere. It knows the
//! names that Nsight Compute gives, but not how to run or read it, and leaves the wording to the reports.

pub mod derived;
mod findings;
mod metrics;

#[cfg(test)]
mod tests;

pub use findings::{Change, Finding, duration, findings};
pub use metrics::{Group, KEY_METRICS, KeyMetric, STALLS, key_metric, stalls};
