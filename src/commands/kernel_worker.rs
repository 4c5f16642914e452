//! `kernel-worker`: the process in which `bench` and `profile` run kernels. Hidden, since only this program asks it.

use std::io::{self, BufReader};
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use crate::cli::KernelWorkerArgs;
use crate::cuda::{self, Job};
use crate::exit::Exit;

/// The GPU that is launched on: the first that CUDA_VISIBLE_DEVICES leaves, as in `gpu`.
const DEVICE: u32 = 0;

/// Runs the command until standard input ends, or what it launches has ended.
pub fn run(arguments: &KernelWorkerArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match (arguments.keep_clocks, &arguments.launch) {
        (Some(device), _) => cuda::keep_clocks(device, arguments.mhz, &mut io::stdin().lock(), context.out)?,
        (None, Some(file)) => launch(file, arguments.launches)?,
        (None, None) => cuda::serve(BufReader::new(io::stdin()), context.out)?,
    }
    Ok(Exit::Holds)
}

fn launch(file: &Path, launches: u32) -> Result<(), CommandError> {
    let bytes = std::fs::read(file).during(format!("cannot read {}", file.display()))?;
    let job: Job = serde_json::from_slice(&bytes).during(format!("{} holds no job", file.display()))?;
    cuda::launch(DEVICE, &job, launches).map_err(CommandError::failure)
}
