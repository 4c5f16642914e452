//! git-ratchet keeps a repository from getting slower.
//!
//! Benchmark results attach to commits as git notes. The baseline is the best level that the history has ever held,
//! computed by walking that history. `check` holds a commit against it and answers with an exit code.
//!
//! ```text
//! results ──► record ──► note on the measured commit          (bench, record)
//! notes ──► history ──► series ──► baseline ──► verdict        (check, log)
//! verdict ──► table / markdown / JSON + exit code              (report, CI)
//! ```
//!
//! The modules stand on floors; each uses only the floors below it, and a test keeps it so (tests/it/tidy.rs):
//!
//! 0. [`model`], [`stats`], [`written`]: words, numbers, and values as users write them; pure.
//! 1. [`codec`], [`cubin`], [`judge`], [`profile`], [`roofline`], [`tune`]: notes as text, machine code of kernels, verdicts, what
//!    counters say, what a chip allows, which point of a kernel to try next; pure.
//! 2. [`store`]: the only place that knows git.
//! 3. [`settings`], [`harness`], [`import`], [`report`]: the outside world; they do not know each other. [`cuda`],
//!    [`ncu`] and [`fleet`] stand on the harness.
//! 4. [`commands`]: one file per verb, the only place where all of these meet.
//!
//! [`cli`] holds the command line as types, [`exit`] the table of exit codes. ARCHITECTURE.md tells the reasons.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are their own outside world"))]

pub mod cli;
pub mod codec;
pub mod commands;
pub mod cubin;
pub mod cuda;
pub mod exit;
pub mod fleet;
pub mod harness;
pub mod import;
pub mod judge;
pub mod model;
pub mod ncu;
pub mod profile;
pub mod report;
pub mod roofline;
pub mod settings;
pub mod stats;
pub mod store;
pub mod tune;
pub mod written;
