//! Every verb once, from end to end: the real binary on real repositories.

mod bench;
mod commits;
mod explain;
mod look;
mod pager;
mod prune;
mod reading;
mod report;
mod setup;
