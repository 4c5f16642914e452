//! Searching for the fastest point of a kernel's tunables: which point to measure next, how long, and what may be said.
//!
//! A [`Space`] holds the valid points. A [`Search`] is asked for a point and told what it scored, any number of points at a
//! time, and never names one twice: where the budget suffices, every point is measured. [`next_look`] ends the measuring of a
//! point that cannot win any more, and [`gain`] says what pairs with the default prove. Nothing here measures, compiles or
//! knows what a kernel is, so that it runs on simulated landscapes as on a GPU.

mod breed;
mod claim;
mod learn;
mod race;
mod search;
mod space;
mod surrogate;
#[cfg(test)]
mod tests;

pub use claim::{Evidence, LEAST_GAIN_PERCENT, MOST_FINALISTS, finalists, gain, geometric_mean};
pub use race::{Look, MOST_TIMES, next_look};
pub use search::{Search, Strategy};
pub use space::{Dimension, Space};
