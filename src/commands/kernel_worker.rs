//! `kernel-worker`: the process in which `bench` runs kernels. Hidden, since only this program asks it.

use std::io::{self, BufReader};

use super::context::Context;
use super::error::CommandError;
use crate::cli::KernelWorkerArgs;
use crate::cuda;
use crate::exit::Exit;

/// Runs the command until standard input ends.
pub fn run(arguments: &KernelWorkerArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match arguments.keep_clocks {
        Some(device) => cuda::keep_clocks(device, arguments.mhz, &mut io::stdin().lock(), context.out)?,
        None => cuda::serve(BufReader::new(io::stdin()), context.out)?,
    }
    Ok(Exit::Holds)
}
