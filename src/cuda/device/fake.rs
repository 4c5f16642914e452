//! A device of ordinary memory and simulated time, with kernels in Rust under the names of their entry points, honest
//! and not.
//!
//! It is strict where a real device would break or hang: held work that is waited for, more of it than a queue holds,
//! memory that is touched outside an allocation, and memory that is not given back all fail the test.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use super::{Address, Call, Device, DeviceError, Event, GraphId, KernelId, MOST_HELD_WORK, Memory, Parameter, Properties};
use crate::cuda::DType;
use crate::cuda::data::Fingerprint;
use crate::cuda::plan::TensorMap;

/// What a test may change while a device is used, and look at afterwards.
#[derive(Debug)]
pub(in crate::cuda) struct World {
    /// What one launch of a kernel takes.
    pub(in crate::cuda) kernel_seconds: f64,
    /// Cycles and nanoseconds that the next looks at the clock find; the last is repeated.
    pub(in crate::cuda) clocks: Vec<(u64, u64)>,
    /// Simulated seconds since the beginning.
    pub(in crate::cuda) now: f64,
    /// Allocations that are not freed.
    pub(in crate::cuda) allocations: usize,
    /// Names of the kernels launched, in order; `memset` for fills.
    pub(in crate::cuda) launched: Vec<String>,
    /// Bytes of each copy from the device, in order.
    pub(in crate::cuda) downloads: Vec<usize>,
    /// Whether the stream can be held.
    pub(in crate::cuda) can_hold: bool,
    /// Whether somebody waits for work as soon as it is queued: the gate is then opened, and the stream not held again.
    pub(in crate::cuda) is_impatient: bool,
}

pub(in crate::cuda) struct FakeDevice {
    pub(in crate::cuda) world: Rc<RefCell<World>>,
    properties: Properties,
    memory: BTreeMap<u64, Vec<u8>>,
    kernels: Vec<String>,
    graphs: Vec<Vec<(KernelId, Vec<Parameter>)>>,
    events: Vec<f64>,
    held: Option<usize>,
    broken: bool,
    launches: u64,
    last_output: Vec<f32>,
    seen_pointers: HashSet<u64>,
    seen_contents: HashSet<u64>,
}

/// The arguments of the fake's kernels: `(const float* x, float* y, int n)`.
struct Arguments {
    x: u64,
    y: u64,
    n: usize,
}

impl FakeDevice {
    pub(in crate::cuda) fn new(properties: Properties) -> Self {
        let world = World {
            kernel_seconds: 100e-6,
            clocks: vec![(39_600, 20_000)],
            now: 0.0,
            allocations: 0,
            launched: Vec::new(),
            downloads: Vec::new(),
            can_hold: true,
            is_impatient: false,
        };
        Self {
            world: Rc::new(RefCell::new(world)),
            properties,
            memory: BTreeMap::new(),
            kernels: Vec::new(),
            graphs: Vec::new(),
            events: vec![f64::NAN; super::EVENTS],
            held: None,
            broken: false,
            launches: 0,
            last_output: Vec::new(),
            seen_pointers: HashSet::new(),
            seen_contents: HashSet::new(),
        }
    }

    fn error(code: u32, name: &str) -> DeviceError {
        DeviceError::Call { what: "launching the kernel", code, name: name.to_owned(), text: String::new() }
    }

    fn check(&self) -> Result<(), DeviceError> {
        if self.broken { Err(Self::error(700, "CUDA_ERROR_ILLEGAL_ADDRESS")) } else { Ok(()) }
    }

    fn queued(&mut self, entries: usize) -> Result<(), DeviceError> {
        if let Some(held) = &mut self.held {
            *held += entries;
            assert!(*held <= MOST_HELD_WORK, "so much held work makes a driver wait for ever");
        }
        self.check()
    }

    fn waited(&self) -> Result<(), DeviceError> {
        assert!(self.held.is_none(), "waiting for held work takes for ever");
        self.check()
    }

    fn bytes(&mut self, at: u64, count: usize) -> &mut [u8] {
        let (base, block) = self.memory.range_mut(..=at).next_back().expect("an address that was allocated");
        let from = (at - base) as usize;
        block.get_mut(from..from + count).expect("inside an allocation")
    }

    fn read(&mut self, at: u64) -> f32 {
        f32::from_le_bytes(self.bytes(at, 4).try_into().unwrap())
    }

    fn write(&mut self, at: u64, value: f32) {
        self.bytes(at, 4).copy_from_slice(&value.to_le_bytes());
    }

    fn doubled(&mut self, of: &Arguments) -> Vec<f32> {
        (0..of.n).map(|i| 2.0 * self.read(of.x + 4 * i as u64)).collect()
    }

    fn store(&mut self, at: u64, values: &[f32]) {
        values.iter().enumerate().for_each(|(i, value)| self.write(at + 4 * i as u64, *value));
    }

    /// What the kernel of this name does. All claim to write `2 x` to `y`.
    fn run(&mut self, name: &str, parameters: &[Parameter]) -> Result<f64, DeviceError> {
        let seconds = self.world.borrow().kernel_seconds;
        let usual = seconds * (1.0 + 0.001 * ((self.launches * 7919 % 101) as f64 / 50.0 - 1.0));
        self.launches += 1;
        match name {
            "ratchet_flush" => return Ok(30e-6),
            "ratchet_clock" => {
                let mut world = self.world.borrow_mut();
                let (cycles, nanoseconds) = if world.clocks.len() > 1 { world.clocks.remove(0) } else { world.clocks[0] };
                drop(world);
                let at = parameters[0].as_address().0;
                self.bytes(at, 8).copy_from_slice(&cycles.to_le_bytes());
                self.bytes(at + 8, 8).copy_from_slice(&nanoseconds.to_le_bytes());
                return Ok(20e-6);
            }
            _ => {}
        }
        let n = parameters[2].as_address().0 as u32 as usize;
        let of = Arguments { x: parameters[0].as_address().0, y: parameters[1].as_address().0, n };
        let right = self.doubled(&of);
        match name {
            "double" | "reference" => self.store(of.y, &right),
            "half" => self.store(of.y, &right[..n / 2]),
            "wrong" => self.store(of.y, &right.iter().map(|value| value * 1.01).collect::<Vec<_>>()),
            "nan" => self.store(of.y, &vec![f32::NAN; n]),
            "bad_reference" => {
                self.store(of.y, &right);
                self.write(of.y + 20, f32::INFINITY);
            }
            "previous" => {
                let previous = std::mem::replace(&mut self.last_output, right.clone());
                self.store(of.y, if previous.is_empty() { &right } else { &previous });
            }
            "writes_past" => {
                self.store(of.y, &right);
                self.write(of.y + 4 * n as u64, 1.0);
            }
            "writes_before" => {
                self.store(of.y, &right);
                self.write(of.y - 8, 1.0);
            }
            "reads_past" => {
                // Harmless where the memory behind the input holds nothing of weight, and NaN is filtered as well.
                let behind = self.read(of.x + 4 * n as u64);
                self.store(of.y, &right);
                if behind.is_finite() {
                    self.write(of.y, right[0] + 1e-7 + behind.abs() * 1e-3);
                }
            }
            "changes_input" => {
                self.store(of.y, &right);
                self.write(of.x + 8, 0.5);
            }
            "random" => {
                self.store(of.y, &right);
                self.write(of.y, right[0] + self.launches as f32 * 1e-5);
            }
            "by_pointer" => {
                if !self.seen_pointers.insert(of.x) {
                    return Ok(1e-6);
                }
                self.store(of.y, &right);
            }
            "by_content" => {
                let mut print = Fingerprint::new();
                print.add(self.bytes(of.x, 4 * n));
                let print = format!("{print:?}{}", of.y).bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
                if !self.seen_contents.insert(print) && self.launches > 60 {
                    return Ok(1e-6);
                }
                self.store(of.y, &right);
            }
            "crash" => {
                self.broken = true;
                return Err(Self::error(700, "CUDA_ERROR_ILLEGAL_ADDRESS"));
            }
            other => panic!("there is no kernel `{other}`"),
        }
        Ok(usual)
    }
}

impl Device for FakeDevice {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn memory(&self) -> Result<Memory, DeviceError> {
        let used: u64 = self.memory.values().map(|block| block.len() as u64).sum();
        Ok(Memory { free: self.properties.memory_bytes - used, total: self.properties.memory_bytes })
    }

    fn load(&mut self, _cubin: &[u8], entry: &str) -> Result<KernelId, DeviceError> {
        self.check()?;
        self.kernels.push(entry.to_owned());
        Ok(KernelId(self.kernels.len() - 1))
    }

    fn unload(&mut self, _kernel: KernelId) {}

    fn parameters(&self, _kernel: KernelId) -> Result<Option<usize>, DeviceError> {
        Ok(Some(3))
    }

    fn occupancy(&self, _kernel: KernelId, threads: u32, _shared_bytes: u32) -> Result<u32, DeviceError> {
        Ok(if threads <= 1024 { 2048 / threads.max(1) } else { 0 })
    }

    fn allocate(&mut self, bytes: u64) -> Result<Address, DeviceError> {
        self.check()?;
        if bytes > self.memory()?.free {
            return Err(Self::error(2, "CUDA_ERROR_OUT_OF_MEMORY"));
        }
        let end = self.memory.last_key_value().map_or(1 << 40, |(base, block)| base + block.len() as u64);
        let base = end.next_multiple_of(1 << 20) + (1 << 20);
        self.memory.insert(base, vec![0xCD; bytes as usize]);
        self.world.borrow_mut().allocations += 1;
        Ok(Address(base))
    }

    fn free(&mut self, address: Address) {
        self.memory.remove(&address.0).expect("the beginning of an allocation, once");
        self.world.borrow_mut().allocations -= 1;
    }

    fn upload(&mut self, to: Address, from: &[u8]) -> Result<(), DeviceError> {
        self.waited()?;
        self.bytes(to.0, from.len()).copy_from_slice(from);
        Ok(())
    }

    fn download(&mut self, from: Address, to: &mut [u8]) -> Result<(), DeviceError> {
        self.waited()?;
        to.copy_from_slice(self.bytes(from.0, to.len()));
        self.world.borrow_mut().downloads.push(to.len());
        Ok(())
    }

    fn fill(&mut self, at: Address, byte: u8, bytes: u64) -> Result<(), DeviceError> {
        self.queued(1)?;
        self.bytes(at.0, bytes as usize).fill(byte);
        let mut world = self.world.borrow_mut();
        world.launched.push("memset".to_owned());
        world.now += 1e-6 + bytes as f64 / 4e12;
        Ok(())
    }

    fn launch(&mut self, call: Call<'_>) -> Result<(), DeviceError> {
        self.queued(1)?;
        let name = self.kernels[call.kernel.0].clone();
        let seconds = self.run(&name, call.parameters)?;
        let mut world = self.world.borrow_mut();
        world.launched.push(name);
        world.now += seconds;
        Ok(())
    }

    fn record(&mut self, event: Event) -> Result<(), DeviceError> {
        self.queued(1)?;
        self.events[event.0] = self.world.borrow().now;
        Ok(())
    }

    fn elapsed(&mut self, from: Event, to: Event) -> Result<f64, DeviceError> {
        self.waited()?;
        let elapsed = self.events[to.0] - self.events[from.0];
        assert!(elapsed >= 0.0, "both events were recorded, in order");
        Ok(elapsed)
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.waited()
    }

    fn reset_persisting_cache(&mut self) {}

    fn hold(&mut self) -> Result<bool, DeviceError> {
        self.check()?;
        assert!(self.held.is_none(), "held twice");
        if self.world.borrow().can_hold {
            self.held = Some(0);
        }
        Ok(self.held.is_some())
    }

    fn release(&mut self) -> bool {
        let mut world = self.world.borrow_mut();
        let was_held = self.held.take().is_none() || !world.is_impatient;
        world.can_hold &= was_held;
        was_held
    }

    fn capture(&mut self, calls: &[Call<'_>]) -> Result<GraphId, DeviceError> {
        self.check()?;
        self.graphs.push(calls.iter().map(|call| (call.kernel, call.parameters.to_vec())).collect());
        Ok(GraphId(self.graphs.len() - 1))
    }

    fn replay(&mut self, graph: GraphId) -> Result<(), DeviceError> {
        self.queued(self.graphs[graph.0].len())?;
        for (kernel, parameters) in self.graphs[graph.0].clone() {
            let name = self.kernels[kernel.0].clone();
            let seconds = self.run(&name, &parameters)?;
            self.world.borrow_mut().now += seconds;
        }
        self.world.borrow_mut().launched.push("graph".to_owned());
        Ok(())
    }

    fn forget(&mut self, graph: GraphId) {
        self.graphs[graph.0].clear();
    }

    fn tensor_map(&self, _map: &TensorMap, _dtype: DType, _address: Address) -> Result<Parameter, DeviceError> {
        Err(DeviceError::Unsupported { what: "tensor maps" })
    }
}
