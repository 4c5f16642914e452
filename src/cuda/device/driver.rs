//! What is asked of the NVIDIA driver, as functions that are safe to call.
//!
//! They take handles and addresses that only this folder makes, and slices for what is copied. What they cannot check is
//! the kernel itself: it may write anywhere on the device, as the programs of every CUDA user may.

#![expect(unsafe_code, reason = "calls the CUDA driver through its C interface")]

mod stream;

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr;

use cudarc::driver::sys::{
    self, CUcontext, CUdevice, CUdeviceptr, CUfunction, CUlaunchAttribute, CUlaunchAttributeID, CUlaunchConfig, CUmodule,
    CUstream, CUtensorMap, CUuuid,
};

pub(super) use stream::{Gate, Graph, TimingEvent};

use super::error::code;
use super::functions::{Census, Functions};
use super::{DeviceError, Parameter};
use crate::cuda::plan::Launch;

/// `CU_STREAM_NON_BLOCKING`.
const STREAM_NON_BLOCKING: c_uint = 1;

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
    /// Dynamic shared memory that was asked for so far.
    shared: Cell<u32>,
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
        let loaded = LoadedFunction { module, function: ptr::null_mut(), shared: Cell::new(0) };
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

    /// Lets a kernel have so much dynamic shared memory. It is not told how much it may have without asking, for that is
    /// 48 KiB less its static memory.
    pub(super) fn allow_shared(&self, loaded: &LoadedFunction, bytes: u32) -> Result<(), DeviceError> {
        if bytes > loaded.shared.get() {
            self.set_function(loaded, sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes)?;
            loaded.shared.set(bytes);
        }
        Ok(())
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

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: both were made when the driver was opened, and nothing uses them afterwards.
        unsafe {
            let _ = (self.functions.stream_destroy)(self.stream);
            let _ = (self.functions.context_release)(self.device);
        }
    }
}
