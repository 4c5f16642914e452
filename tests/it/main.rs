//! The integration tests: one binary, one file per subject.

mod contract;
mod tidy;
mod world;
