//! Where work runs besides here: jobs of Slurm.
//!
//! An [`Order`] is a file with everything that a job is to do, as it was when somebody asked for it: it may wait for hours while
//! the user goes on working. [`Slurm`] is the command line that asks for a job, [`Words`] is what Slurm's programs say, and
//! [`run`] runs jobs and listens to them until the last has ended. What a job does is not known here; programs are started
//! through the harness.

mod jobs;
mod order;
mod slurm;
mod words;

pub use jobs::{Ended, Job, News, Tell, run};
pub use order::{Order, OrderError, exit_of, leave_exit};
pub use slurm::Slurm;
pub use words::{End, Queued, Words, announcement, reason};
