//! A kernel launched for somebody who watches: no verification, no timing, nothing else on the device.
//!
//! A profiler counts launches of one name and takes the last. So there is one set of arguments, with the contents of
//! the first round, and nothing but launches of the kernel itself.

use super::arguments::Set;
use super::device::{Call, CudaDevice, Device};
use super::job::Job;
use super::session::SessionError;

/// What a guard band holds here, as in a first verification.
const GUARD: u8 = 0xFF;

/// Launches the kernel of a job this often on the device of this number, one launch after the other, and waits.
pub fn launch(ordinal: u32, job: &Job, launches: u32) -> Result<(), SessionError> {
    launch_on(&mut CudaDevice::open(ordinal)?, job, launches)
}

pub(super) fn launch_on(device: &mut dyn Device, job: &Job, launches: u32) -> Result<(), SessionError> {
    let plan = &job.plan;
    let kernel = device.load(&job.cubin.0, &plan.program.entry)?;
    let mut set = Set::allocate(device, plan)?;
    let mut launched = set.write_inputs(device, plan, 0).and_then(|()| set.reset(device, plan, GUARD));
    for _ in 0..launches {
        launched = launched.and_then(|()| device.launch(Call { kernel, launch: &plan.launch, parameters: &set.parameters }));
        launched = launched.and_then(|()| device.synchronize());
    }
    set.free(device);
    Ok(launched?)
}
