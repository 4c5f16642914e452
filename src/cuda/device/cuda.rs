//! The real device: owns what the driver gives, by number.

use std::time::Duration;

use cudarc::driver::sys::{CUdevice_attribute as Attribute, CUfunction_attribute, CUtensorMapDataType, CUtensorMapSwizzle};

use super::driver::{self, Driver, Gate, Graph, LoadedFunction, Tiling, TimingEvent};
use super::error::{LEAST_VERSION, Version};
use super::porter::Porter;
use super::{Address, Call, Device, DeviceError, EVENTS, Event, GraphId, KernelId, Memory, Parameter, Properties};
use crate::cuda::DType;
use crate::cuda::plan::{Swizzle, TensorMap};

/// An NVIDIA GPU, by way of its driver.
pub struct CudaDevice {
    properties: Properties,
    kernels: Vec<Option<LoadedFunction>>,
    graphs: Vec<Option<Graph>>,
    events: Vec<TimingEvent>,
    gate: Option<(Gate, Porter)>,
    /// Somebody waits for work as soon as it is queued.
    is_impatient: bool,
    turn: u32,
    driver: Driver,
}

/// A batch is queued in a millisecond or two: held for so long, it waits for itself.
const LONGEST_HOLD: Duration = Duration::from_secs(1);

impl CudaDevice {
    /// How many devices there are, and the version of CUDA that the driver supports, 13000 for 13.0.
    pub fn count() -> Result<(u32, u32), DeviceError> {
        let census = driver::census()?;
        Ok((census.devices, census.version))
    }

    /// Opens the device of this number, as `CUDA_VISIBLE_DEVICES` numbers them.
    pub fn open(ordinal: u32) -> Result<Self, DeviceError> {
        let driver = Driver::open(ordinal, LEAST_VERSION.0)?;
        let properties = properties(&driver)?;
        let mut device = Self {
            properties,
            kernels: Vec::new(),
            graphs: Vec::new(),
            events: Vec::new(),
            gate: None,
            is_impatient: false,
            turn: 0,
            driver,
        };
        device.gate = device.guarded_gate();
        for _ in 0..EVENTS {
            let event = device.driver.event()?;
            device.events.push(event);
        }
        Ok(device)
    }

    /// A gate, and who opens it where we cannot.
    fn guarded_gate(&self) -> Option<(Gate, Porter)> {
        let gate = self.driver.gate()?;
        let word = gate.word();
        match Porter::new(LONGEST_HOLD, move |turn| word.open(turn)) {
            Ok(porter) => Some((gate, porter)),
            Err(_) => {
                self.driver.destroy_gate(&gate);
                None
            }
        }
    }

    fn kernel(&self, kernel: KernelId) -> Result<&LoadedFunction, DeviceError> {
        self.kernels.get(kernel.0).and_then(Option::as_ref).ok_or(GONE)
    }

    fn event(&self, event: Event) -> Result<&TimingEvent, DeviceError> {
        self.events.get(event.0).ok_or(GONE)
    }
}

/// A number that this device did not give out, or took back.
const GONE: DeviceError = DeviceError::Unsupported { what: "kernel, event or graph of this number" };

/// Clusters of more than eight blocks have to be asked for.
const PORTABLE_CLUSTER: u32 = 8;

fn properties(driver: &Driver) -> Result<Properties, DeviceError> {
    let attribute = |which| driver.attribute(which);
    let number = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10
        + attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    Ok(Properties {
        name: driver.name()?,
        uuid: uuid(driver.uuid()?),
        compute_capability: number,
        sm_count: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        max_threads_per_block: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
        shared_bytes_per_block: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        warp_size: attribute(Attribute::CU_DEVICE_ATTRIBUTE_WARP_SIZE),
        l2_bytes: attribute(Attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE).into(),
        memory_bytes: driver.total_memory()?,
        clock_khz: attribute(Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
        memory_clock_khz: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
        bus_bits: attribute(Attribute::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH),
        ecc: attribute(Attribute::CU_DEVICE_ATTRIBUTE_ECC_ENABLED) == 1,
        driver_version: driver.version(),
    })
}

/// As NVML and nvidia-smi write it.
fn uuid(bytes: [u8; 16]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "GPU-{}-{}-{}-{}-{}",
        hex[..4].concat(),
        hex[4..6].concat(),
        hex[6..8].concat(),
        hex[8..10].concat(),
        hex[10..].concat()
    )
}

impl Device for CudaDevice {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn memory(&self) -> Result<Memory, DeviceError> {
        let (free, total) = self.driver.memory()?;
        Ok(Memory { free, total })
    }

    fn load(&mut self, cubin: &[u8], entry: &str) -> Result<KernelId, DeviceError> {
        let loaded = self.driver.load(cubin, entry)?;
        self.kernels.push(Some(loaded));
        Ok(KernelId(self.kernels.len() - 1))
    }

    fn unload(&mut self, kernel: KernelId) {
        if let Some(loaded) = self.kernels.get_mut(kernel.0).and_then(Option::take) {
            self.driver.unload(&loaded);
        }
    }

    fn parameters(&self, kernel: KernelId) -> Result<Option<usize>, DeviceError> {
        let Some(sizes) = self.driver.parameter_sizes(self.kernel(kernel)?) else { return Ok(None) };
        if sizes.iter().any(|size| *size > Parameter::LARGEST) || sizes.len() >= driver::MOST_PARAMETERS {
            return Err(DeviceError::Unsupported {
                what: "way to pass this kernel's parameters: one is larger than a tensor map",
            });
        }
        Ok(Some(sizes.len()))
    }

    fn occupancy(&self, kernel: KernelId, threads: u32, shared_bytes: u32) -> Result<u32, DeviceError> {
        let loaded = self.kernel(kernel)?;
        self.driver.allow_shared(loaded, shared_bytes)?;
        self.driver.occupancy(loaded, threads, shared_bytes)
    }

    fn allocate(&mut self, bytes: u64) -> Result<Address, DeviceError> {
        self.driver.allocate(bytes).map(Address)
    }

    fn free(&mut self, address: Address) {
        self.driver.free(address.0);
    }

    fn upload(&mut self, to: Address, from: &[u8]) -> Result<(), DeviceError> {
        self.driver.upload(to.0, from)
    }

    fn download(&mut self, from: Address, to: &mut [u8]) -> Result<(), DeviceError> {
        self.driver.download(from.0, to)
    }

    fn fill(&mut self, at: Address, byte: u8, bytes: u64) -> Result<(), DeviceError> {
        self.driver.fill(at.0, byte, bytes)
    }

    fn launch(&mut self, call: Call<'_>) -> Result<(), DeviceError> {
        let loaded = self.kernel(call.kernel)?;
        self.driver.allow_shared(loaded, call.launch.shared_bytes)?;
        if call.launch.cluster.is_some_and(|cluster| cluster.iter().product::<u32>() > PORTABLE_CLUSTER) {
            let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED;
            self.driver.set_function(loaded, attribute, 1)?;
        }
        self.driver.launch(loaded, call.launch, call.parameters)
    }

    fn record(&mut self, event: Event) -> Result<(), DeviceError> {
        self.driver.record(self.event(event)?)
    }

    fn elapsed(&mut self, from: Event, to: Event) -> Result<f64, DeviceError> {
        let milliseconds = self.driver.elapsed_ms(self.event(from)?, self.event(to)?)?;
        Ok(f64::from(milliseconds) / 1e3)
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.driver.synchronize()
    }

    fn reset_persisting_cache(&mut self) {
        self.driver.reset_persisting();
    }

    fn hold(&mut self) -> Result<bool, DeviceError> {
        let Some((gate, porter)) = self.gate.as_ref().filter(|_| !self.is_impatient) else { return Ok(false) };
        self.turn = self.turn.wrapping_add(1);
        porter.shut(self.turn);
        let is_held = self.driver.wait(gate, self.turn);
        if !is_held {
            porter.dismiss();
        }
        Ok(is_held)
    }

    fn release(&mut self) -> bool {
        let Some((gate, porter)) = &self.gate else { return true };
        let was_held = porter.dismiss();
        gate.word().open(self.turn);
        self.is_impatient |= !was_held;
        was_held
    }

    fn capture(&mut self, calls: &[Call<'_>]) -> Result<GraphId, DeviceError> {
        self.driver.begin_capture()?;
        let launched = calls.iter().try_for_each(|call| self.launch(*call));
        let graph = self.driver.end_capture();
        launched?;
        self.graphs.push(Some(graph?));
        Ok(GraphId(self.graphs.len() - 1))
    }

    fn replay(&mut self, graph: GraphId) -> Result<(), DeviceError> {
        self.driver.replay(self.graphs.get(graph.0).and_then(Option::as_ref).ok_or(GONE)?)
    }

    fn forget(&mut self, graph: GraphId) {
        if let Some(graph) = self.graphs.get_mut(graph.0).and_then(Option::take) {
            self.driver.destroy_graph(&graph);
        }
    }

    fn tensor_map(&self, map: &TensorMap, dtype: DType, address: Address) -> Result<Parameter, DeviceError> {
        let tiling = Tiling {
            dtype: tensor_type(dtype) as u32,
            extents: &map.extents,
            strides: &map.strides,
            tile: &map.tile,
            swizzle: swizzle(map.swizzle) as u32,
        };
        self.driver.encode(&tiling, address.0).map(Parameter::tensor_map)
    }
}

fn tensor_type(dtype: DType) -> CUtensorMapDataType {
    match dtype {
        DType::F64 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT64,
        DType::F32 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
        DType::F16 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
        DType::BF16 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
        DType::I64 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_INT64,
        DType::I32 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_INT32,
        DType::U32 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_UINT32,
        DType::I8 | DType::U8 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_UINT8,
    }
}

fn swizzle(swizzle: Swizzle) -> CUtensorMapSwizzle {
    match swizzle {
        Swizzle::None => CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_NONE,
        Swizzle::B32 => CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_32B,
        Swizzle::B64 => CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_64B,
        Swizzle::B128 => CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_128B,
    }
}

impl Drop for CudaDevice {
    fn drop(&mut self) {
        // Nothing may wait for a gate that goes away.
        self.release();
        self.graphs.iter().flatten().for_each(|graph| self.driver.destroy_graph(graph));
        self.kernels.iter().flatten().for_each(|kernel| self.driver.unload(kernel));
        self.events.iter().for_each(|event| self.driver.destroy_event(event));
        if let Some((gate, porter)) = self.gate.take() {
            // He writes to the gate's memory.
            drop(porter);
            self.driver.destroy_gate(&gate);
        }
    }
}

/// The driver's version in its own writing, for facts.
pub(in crate::cuda) fn version_text(version: u32) -> String {
    Version(version).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_nvidia_smi_does() {
        let bytes = std::array::from_fn(|i| i as u8);
        assert_eq!(uuid(bytes), "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
