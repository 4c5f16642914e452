//! The integration tests: one binary, one file per subject.

mod contract;
mod docs;
mod schemas;
mod tidy;
mod world;
