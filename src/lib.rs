//! git-ratchet keeps a repository from getting slower.
#![allow(missing_docs)]
pub mod codec;
pub mod judge;
pub mod model;
pub mod stats;
