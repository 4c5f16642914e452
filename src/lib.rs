//! git-ratchet keeps a repository from getting slower.
#![allow(missing_docs)]
pub mod codec;
pub mod model;
pub mod store;
