//! The integration tests: one binary, one file per subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, reason = "tests are their own outside world")]

mod acceptance;
mod bisect;
mod browser;
mod builds;
mod compare;
mod confirm;
mod contract;
mod demo;
mod docs;
mod exchange;
mod fleet;
mod gpu;
mod hook;
mod hostile;
mod kernel_manifests;
mod kernels;
mod kernels_cpu;
mod profile;
mod roofline;
mod schemas;
mod shipped;
mod suites;
mod tidy;
mod toolkits;
mod trust;
mod tune;
mod verbs;
mod workflows;
mod world;
