//! A kernel that is launched for a profiler: its launches and nothing else under its name.

use super::*;
use crate::cuda::once::launch_on;

#[test]
fn only_the_kernel_itself_is_launched_as_often_as_asked() {
    let mut rig = Rig::new();
    let before = rig.world.borrow().launched.len();
    let free = rig.device_free();
    launch_on(&mut rig.device, &job("double"), 4).unwrap();
    let launched: Vec<String> = rig.world.borrow().launched[before..].iter().filter(|name| *name != "memset").cloned().collect();
    assert_eq!(launched, ["double"; 4], "neither the reference nor anything of ours");
    assert_eq!(rig.device_free(), free, "the memory is given back");
}

impl Rig {
    fn device_free(&self) -> u64 {
        use crate::cuda::device::Device;
        self.device.memory().unwrap().free
    }
}
