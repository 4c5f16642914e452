//! Every verb once, from end to end: the real binary on real repositories.

mod bench;
mod look;
mod reading;
mod report;
mod setup;
