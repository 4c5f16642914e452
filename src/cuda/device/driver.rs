//! What is asked of the NVIDIA driver, as functions that are safe to call.
//!
//! They take handles and addresses that only this folder makes, and slices for what is copied. What they cannot check is
//! the kernel itself: it may write anywhere on the device, as the programs of every CUDA user may.

#![expect(unsafe_code, reason = "calls the CUDA driver through its C interface")]

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use cudarc::driver::sys::{
    self, CUcontext, CUdevice, CUdeviceptr, CUevent, CUfunction, CUgraph, CUgraphExec, CUlaunchAttribute, CUlaunchAttributeID,
    CUlaunchConfig, CUmodule, CUstream, CUtensorMap, CUuuid,
};

use super::error::code;
use super::functions::{Census, Functions};
use super::{DeviceError, Parameter};
use crate::cuda::plan::Launch;

/// `CU_MEMHOSTALLOC_DEVICEMAP`.
const HOST_DEVICEMAP: c_uint = 2;
/// `CU_STREAM_NON_BLOCKING`.
const STREAM_NON_BLOCKING: c_uint = 1;
/// `CU_EVENT_DEFAULT`: with timing.
const EVENT_WITH_TIMING: c_uint = 0;
/// `CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`.
const CAPTURE_THREAD_LOCAL: c_uint = 1;
/// `CU_STREAM_WAIT_VALUE_GEQ`.
const WAIT_UNTIL_AT_LEAST: c_uint = 0;

/// More parameters than this no kernel of ours has.
pub(super) const MOST_PARAMETERS: usize = 256;

/// The driver, with a context on one device and one stream. It belongs to the thread that opened it.
pub(super) struct Driver {
    functions: Functions,
    device: CUdevice,
    stream: CUstream,
    version: u32,
}

/// A module and the entry point that was asked for.
pub(super) struct LoadedFunction {
    module: CUmodule,
    function: CUfunction,
}

/// An event that keeps time.
pub(super) struct TimingEvent(CUevent);

/// A graph that can be launched.
pub(super) struct Graph(CUgraphExec);

/// A word of host memory that the device can wait for.
pub(super) struct Gate {
    word: ptr::NonNull<AtomicU32>,
    address: CUdeviceptr,
}

/// A tensor map to be encoded: the numbers of `cuTensorMapEncodeTiled`.
pub(super) struct Tiling<'a> {
    pub(super) dtype: u32,
    pub(super) extents: &'a [u64],
    pub(super) strides: &'a [u64],
    pub(super) tile: &'a [u32],
    pub(super) swizzle: u32,
}

/// Asks the driver what there is, without a context.
pub(super) fn census() -> Result<Census, DeviceError> {
    Functions::find()?.census()
}

impl Driver {
    /// Opens a device: its primary context becomes this thread's, and a stream is made.
    pub(super) fn open(ordinal: u32, least_version: u32) -> Result<Self, DeviceError> {
        let functions = Functions::find()?;
        let census = functions.census()?;
        if census.version < least_version {
            return Err(DeviceError::OldDriver { found: census.version });
        }
        let number = c_int::try_from(ordinal).ok().filter(|_| ordinal < census.devices);
        let number = number.ok_or(DeviceError::NoDevice { wanted: ordinal, found: census.devices })?;
        let mut device: CUdevice = 0;
        // SAFETY: writes one device number.
        functions.check("opening the device", unsafe { (functions.device_get)(&raw mut device, number) })?;
        let mut context: CUcontext = ptr::null_mut();
        // SAFETY: writes one handle; released when the driver is dropped.
        functions.check("making a context", unsafe { (functions.context_retain)(&raw mut context, device) })?;
        let mut driver = Self { functions, device, stream: ptr::null_mut(), version: census.version };
        // SAFETY: the context was just made.
        driver.check("entering the context", unsafe { (functions.context_set)(context) })?;
        let mut stream: CUstream = ptr::null_mut();
        // SAFETY: writes one handle; destroyed when the driver is dropped.
        driver.check("making a stream", unsafe { (functions.stream_create)(&raw mut stream, STREAM_NON_BLOCKING) })?;
        driver.stream = stream;
        Ok(driver)
    }

    fn check(&self, what: &'static str, returned: u32) -> Result<(), DeviceError> {
        self.functions.check(what, returned)
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn name(&self) -> Result<String, DeviceError> {
        let mut name = [0u8; 256];
        // SAFETY: at most 256 bytes are written, with a zero at the end.
        let returned = unsafe { (self.functions.device_name)(name.as_mut_ptr().cast(), 256, self.device) };
        self.check("asking for the device's name", returned)?;
        let text = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        Ok(text.to_string_lossy().into_owned())
    }

    pub(super) fn uuid(&self) -> Result<[u8; 16], DeviceError> {
        let mut uuid = CUuuid { bytes: [0; 16] };
        // SAFETY: writes sixteen bytes.
        self.check("asking for the device's UUID", unsafe { (self.functions.device_uuid)(&raw mut uuid, self.device) })?;
        Ok(uuid.bytes.map(|byte| byte as u8))
    }

    pub(super) fn total_memory(&self) -> Result<u64, DeviceError> {
        let mut bytes = 0;
        // SAFETY: writes one size.
        self.check("asking for the device's memory", unsafe { (self.functions.device_memory)(&raw mut bytes, self.device) })?;
        Ok(bytes as u64)
    }

    /// An attribute; 0 where this driver does not know it.
    pub(super) fn attribute(&self, attribute: sys::CUdevice_attribute) -> u32 {
        let mut value: c_int = 0;
        // SAFETY: writes one int; an unknown attribute is answered with an error.
        let returned = unsafe { (self.functions.device_attribute)(&raw mut value, attribute as c_uint, self.device) };
        if returned == code::SUCCESS { u32::try_from(value).unwrap_or(0) } else { 0 }
    }

    pub(super) fn memory(&self) -> Result<(u64, u64), DeviceError> {
        let (mut free, mut total) = (0, 0);
        // SAFETY: writes two sizes.
        self.check("asking for free memory", unsafe { (self.functions.memory_info)(&raw mut free, &raw mut total) })?;
        Ok((free as u64, total as u64))
    }

    pub(super) fn allocate(&self, bytes: u64) -> Result<CUdeviceptr, DeviceError> {
        let mut address = 0;
        // SAFETY: writes one address.
        let returned = unsafe { (self.functions.memory_allocate)(&raw mut address, bytes as usize) };
        self.check("allocating device memory", returned)?;
        Ok(address)
    }

    pub(super) fn free(&self, address: CUdeviceptr) {
        // SAFETY: the address was allocated here; after a sticky error there is nothing left to free, and no harm.
        let _ = unsafe { (self.functions.memory_free)(address) };
    }

    /// Copies on the stream, where everything else runs, and waits: a plain copy may return before its data arrived.
    pub(super) fn upload(&self, to: CUdeviceptr, from: &[u8]) -> Result<(), DeviceError> {
        // SAFETY: reads the slice, which is borrowed until the stream has come to its end.
        let returned = unsafe { (self.functions.copy_to_device)(to, from.as_ptr().cast(), from.len(), self.stream) };
        let waited = self.synchronize_stream();
        self.check("copying to the device", returned).and(waited)
    }

    pub(super) fn download(&self, from: CUdeviceptr, to: &mut [u8]) -> Result<(), DeviceError> {
        // SAFETY: writes the slice, which is borrowed until the stream has come to its end.
        let returned = unsafe { (self.functions.copy_to_host)(to.as_mut_ptr().cast(), from, to.len(), self.stream) };
        let waited = self.synchronize_stream();
        self.check("copying from the device", returned).and(waited)
    }

    pub(super) fn fill(&self, at: CUdeviceptr, byte: u8, bytes: u64) -> Result<(), DeviceError> {
        // SAFETY: device memory only; a wrong range is answered with an error.
        self.check("filling device memory", unsafe { (self.functions.memset)(at, byte, bytes as usize, self.stream) })
    }

    pub(super) fn load(&self, cubin: &[u8], entry: &str) -> Result<LoadedFunction, DeviceError> {
        let mut module: CUmodule = ptr::null_mut();
        // SAFETY: a cubin is an ELF file that tells its own size; the driver checks it and copies what it needs.
        self.check("loading the kernel", unsafe { (self.functions.module_load)(&raw mut module, cubin.as_ptr().cast()) })?;
        let loaded = LoadedFunction { module, function: ptr::null_mut() };
        let found =
            CString::new(entry).map_err(|_| DeviceError::Unsupported { what: "kernel with such a name" }).and_then(|name| {
                let mut function: CUfunction = ptr::null_mut();
                // SAFETY: the module was just loaded; the name ends with zero.
                let returned = unsafe { (self.functions.module_function)(&raw mut function, module, name.as_ptr()) };
                self.check("finding the kernel in its module", returned).map(|()| function)
            });
        match found {
            Ok(function) => Ok(LoadedFunction { function, ..loaded }),
            Err(error) => {
                self.unload(&loaded);
                Err(error)
            }
        }
    }

    pub(super) fn unload(&self, loaded: &LoadedFunction) {
        // SAFETY: the module was loaded here and is not used again.
        let _ = unsafe { (self.functions.module_unload)(loaded.module) };
    }

    pub(super) fn set_function(
        &self,
        loaded: &LoadedFunction,
        attribute: sys::CUfunction_attribute,
        value: u32,
    ) -> Result<(), DeviceError> {
        let value = c_int::try_from(value).unwrap_or(c_int::MAX);
        // SAFETY: no memory is touched.
        let returned = unsafe { (self.functions.function_set)(loaded.function, attribute as c_uint, value) };
        self.check("setting an attribute of the kernel", returned)
    }

    pub(super) fn occupancy(&self, loaded: &LoadedFunction, threads: u32, shared: u32) -> Result<u32, DeviceError> {
        let mut blocks: c_int = 0;
        let threads = c_int::try_from(threads).unwrap_or(c_int::MAX);
        // SAFETY: writes one int.
        let returned = unsafe { (self.functions.occupancy)(&raw mut blocks, loaded.function, threads, shared as usize) };
        self.check("asking for the occupancy", returned)?;
        Ok(blocks.unsigned_abs())
    }

    pub(super) fn launch(&self, loaded: &LoadedFunction, launch: &Launch, parameters: &[Parameter]) -> Result<(), DeviceError> {
        // Zeros follow, so that a driver that looks for more arguments than there are finds memory of ours.
        let zeros = Parameter::zero();
        let missing = std::iter::repeat_n(&zeros, MOST_PARAMETERS.saturating_sub(parameters.len()));
        let mut pointers: Vec<*mut c_void> =
            parameters.iter().chain(missing).map(|parameter| parameter.as_ptr().cast_mut().cast()).collect();
        let ([gx, gy, gz], [bx, by, bz]) = (launch.grid, launch.block);
        let returned = match (launch.cluster, self.functions.launch_ex) {
            // SAFETY: each pointer is to 128 bytes, and there are more than a kernel has parameters; the driver copies
            // what it needs before it returns.
            (None, _) => unsafe {
                (self.functions.launch)(
                    loaded.function,
                    gx,
                    gy,
                    gz,
                    bx,
                    by,
                    bz,
                    launch.shared_bytes,
                    self.stream,
                    pointers.as_mut_ptr(),
                    ptr::null_mut(),
                )
            },
            (Some([x, y, z]), Some(launch_ex)) => {
                let mut value = sys::CUlaunchAttributeValue { pad: [0; 64] };
                value.clusterDim = sys::CUlaunchAttributeValue_union__bindgen_ty_1 { x, y, z };
                let id = CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
                let mut attribute = CUlaunchAttribute { id, pad: [0; 4], value };
                let config = CUlaunchConfig {
                    gridDimX: gx,
                    gridDimY: gy,
                    gridDimZ: gz,
                    blockDimX: bx,
                    blockDimY: by,
                    blockDimZ: bz,
                    sharedMemBytes: launch.shared_bytes,
                    hStream: self.stream,
                    attrs: &raw mut attribute,
                    numAttrs: 1,
                };
                // SAFETY: as above; the attribute lives until the call returns.
                unsafe { launch_ex(&raw const config, loaded.function, pointers.as_mut_ptr(), ptr::null_mut()) }
            }
            (Some(_), None) => return Err(DeviceError::Unsupported { what: "thread block clusters (cuLaunchKernelEx)" }),
        };
        self.check("launching the kernel", returned)
    }

    /// The sizes of a kernel's parameters, where the driver tells them (from CUDA 12.4 on).
    pub(super) fn parameter_sizes(&self, loaded: &LoadedFunction) -> Option<Vec<usize>> {
        let info = self.functions.parameter_info?;
        let mut sizes = Vec::new();
        while sizes.len() < MOST_PARAMETERS {
            let (mut offset, mut size) = (0, 0);
            // SAFETY: writes two sizes; an index beyond the last parameter is answered with an error.
            if unsafe { info(loaded.function, sizes.len(), &raw mut offset, &raw mut size) } != code::SUCCESS {
                break;
            }
            sizes.push(size);
        }
        Some(sizes)
    }

    pub(super) fn event(&self) -> Result<TimingEvent, DeviceError> {
        let mut event: CUevent = ptr::null_mut();
        // SAFETY: writes one handle.
        self.check("making an event", unsafe { (self.functions.event_create)(&raw mut event, EVENT_WITH_TIMING) })?;
        Ok(TimingEvent(event))
    }

    pub(super) fn destroy_event(&self, event: &TimingEvent) {
        // SAFETY: made here, not used again.
        let _ = unsafe { (self.functions.event_destroy)(event.0) };
    }

    pub(super) fn record(&self, event: &TimingEvent) -> Result<(), DeviceError> {
        // SAFETY: event and stream are ours.
        self.check("recording an event", unsafe { (self.functions.event_record)(event.0, self.stream) })
    }

    pub(super) fn elapsed_ms(&self, from: &TimingEvent, to: &TimingEvent) -> Result<f32, DeviceError> {
        let mut milliseconds = 0.0;
        // SAFETY: events are ours; one float is written.
        unsafe {
            self.check("waiting for the kernel", (self.functions.event_synchronize)(to.0))?;
            self.check("reading the time", (self.functions.event_elapsed)(&raw mut milliseconds, from.0, to.0))?;
        }
        Ok(milliseconds)
    }

    pub(super) fn synchronize(&self) -> Result<(), DeviceError> {
        // SAFETY: no pointers.
        self.check("waiting for the device", unsafe { (self.functions.context_synchronize)() })
    }

    fn synchronize_stream(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is ours.
        self.check("waiting for the kernel", unsafe { (self.functions.stream_synchronize)(self.stream) })
    }

    pub(super) fn reset_persisting(&self) {
        // Before Ampere no line persists, and the call says that it is not supported.
        if let Some(reset) = self.functions.reset_persisting {
            // SAFETY: no pointers.
            let _ = unsafe { reset() };
        }
    }

    /// A gate, where the driver can wait for memory.
    pub(super) fn gate(&self) -> Option<Gate> {
        self.functions.wait_value?;
        let mut word: *mut c_void = ptr::null_mut();
        // SAFETY: writes one pointer to page-locked memory of four bytes or more, aligned to a page.
        if unsafe { (self.functions.host_allocate)(&raw mut word, size_of::<AtomicU32>(), HOST_DEVICEMAP) } != code::SUCCESS {
            return None;
        }
        let word = ptr::NonNull::new(word.cast::<AtomicU32>())?;
        // SAFETY: fresh memory of our own, large enough and aligned.
        unsafe { word.write(AtomicU32::new(0)) };
        let mut address = 0;
        // SAFETY: the memory was allocated with DEVICEMAP.
        let mapped = unsafe { (self.functions.host_address)(&raw mut address, word.as_ptr().cast(), 0) };
        let gate = Gate { word, address };
        if mapped == code::SUCCESS {
            return Some(gate);
        }
        self.destroy_gate(&gate);
        None
    }

    pub(super) fn destroy_gate(&self, gate: &Gate) {
        // SAFETY: allocated by cuMemHostAlloc, not used again.
        let _ = unsafe { (self.functions.host_free)(gate.word.as_ptr().cast()) };
    }

    /// Makes the stream wait until the gate's word is at least `turn`. `false` where this device cannot.
    pub(super) fn wait(&self, gate: &Gate, turn: u32) -> bool {
        // SAFETY: the address is that of the gate's word, which lives as long as the driver.
        let wait = |function: unsafe extern "C" fn(CUstream, CUdeviceptr, c_uint, c_uint) -> u32| unsafe {
            function(self.stream, gate.address, turn, WAIT_UNTIL_AT_LEAST)
        };
        self.functions.wait_value.is_some_and(|function| wait(function) == code::SUCCESS)
    }

    /// Begins to gather launches instead of running them.
    pub(super) fn begin_capture(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is ours.
        let returned = unsafe { (self.functions.capture_begin)(self.stream, CAPTURE_THREAD_LOCAL) };
        self.check("capturing launches", returned)
    }

    /// Ends a capture; to be called after every beginning, whatever happened between.
    pub(super) fn end_capture(&self) -> Result<Graph, DeviceError> {
        let mut graph: CUgraph = ptr::null_mut();
        // SAFETY: writes one handle.
        self.check("capturing launches", unsafe { (self.functions.capture_end)(self.stream, &raw mut graph) })?;
        let mut exec: CUgraphExec = ptr::null_mut();
        // SAFETY: writes one handle; the graph is only needed until then.
        let returned = unsafe { (self.functions.graph_instantiate)(&raw mut exec, graph, 0) };
        // SAFETY: made above, not used again.
        let _ = unsafe { (self.functions.graph_destroy)(graph) };
        self.check("making a graph", returned)?;
        Ok(Graph(exec))
    }

    pub(super) fn replay(&self, graph: &Graph) -> Result<(), DeviceError> {
        // SAFETY: graph and stream are ours.
        self.check("launching a graph", unsafe { (self.functions.graph_launch)(graph.0, self.stream) })
    }

    pub(super) fn destroy_graph(&self, graph: &Graph) {
        // SAFETY: made here, not used again.
        let _ = unsafe { (self.functions.graph_exec_destroy)(graph.0) };
    }

    pub(super) fn encode(&self, tiling: &Tiling<'_>, address: CUdeviceptr) -> Result<[u64; 16], DeviceError> {
        let encode =
            self.functions.encode_tiled.ok_or(DeviceError::Unsupported { what: "tensor maps (cuTensorMapEncodeTiled)" })?;
        let rank = tiling.extents.len();
        if rank == 0 || tiling.tile.len() != rank || tiling.strides.len() + 1 != rank {
            return Err(DeviceError::Unsupported { what: "tensor map with such extents, strides and tile" });
        }
        // Every element of a tile, no gaps.
        let element_strides = vec![1u32; rank];
        let mut map = CUtensorMap { opaque: [0; 16] };
        // SAFETY: each array has the length that the rank says (one less for the strides); the map is 128 bytes, aligned.
        // Interleave none, L2 promotion 128 bytes, elements outside are zero.
        let returned = unsafe {
            encode(
                &raw mut map,
                tiling.dtype,
                rank as c_uint,
                address as *mut c_void,
                tiling.extents.as_ptr(),
                tiling.strides.as_ptr(),
                tiling.tile.as_ptr(),
                element_strides.as_ptr(),
                0,
                tiling.swizzle,
                2,
                0,
            )
        };
        self.check("making a tensor map", returned)?;
        Ok(map.opaque)
    }
}

impl Gate {
    /// Lets everything through that waits for `turn` or less.
    pub(super) fn open(&self, turn: u32) {
        // SAFETY: the word lives until `destroy_gate`; the device reads it, only the host writes it.
        unsafe { self.word.as_ref() }.store(turn, Ordering::SeqCst);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: both were made when the driver was opened, and nothing uses them afterwards.
        unsafe {
            let _ = (self.functions.stream_destroy)(self.stream);
            let _ = (self.functions.context_release)(self.device);
        }
    }
}
