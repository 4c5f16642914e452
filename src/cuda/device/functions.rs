//! The table of the driver's functions.
//!
//! cudarc finds the library and gives the types. Its functions are not used, for three reasons: they panic where the
//! library or a symbol is missing; they return an enum, which a newer driver's unknown code would break; and CUDA 13's
//! names are not all there in a driver for CUDA 12. So every function is looked up when the library is opened, by the
//! signature that cudarc's bindings of `cuda.h` give it, and returns its code as a number.

#![expect(unsafe_code, reason = "looks up and calls functions of the CUDA driver")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;

use cudarc::driver::sys::{
    self, CUcontext, CUdevice, CUdeviceptr, CUevent, CUfunction, CUgraph, CUgraphExec, CUlaunchConfig, CUmodule, CUstream,
    CUtensorMap, CUuuid,
};

use super::DeviceError;
use super::error::code;

/// Makes the table: a field for each function, looked up by its symbol. Where two symbols stand, the first that the
/// library has is taken; an optional function may be missing.
macro_rules! functions {
    ($(#[$about:meta])* $name:ident { required { $($field:ident = $($symbol:literal)|+, ($($argument:ty),* $(,)?);)* } optional { $($may:ident = $may_symbol:literal, ($($may_argument:ty),* $(,)?);)* } }) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub(super) struct $name {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) -> u32,)*
            $(pub(super) $may: Option<unsafe extern "C" fn($($may_argument),*) -> u32>,)*
        }

        impl $name {
            /// Looks everything up.
            pub(super) fn find() -> Result<Self, DeviceError> {
                // SAFETY: asks the dynamic loader whether the library can be opened; its initialisers are NVIDIA's.
                if !unsafe { sys::is_culib_present() } {
                    return Err(DeviceError::NoDriver);
                }
                // SAFETY: `culib` panics only where the library is absent, which was asked just before; the types are
                // those of cuda.h for these symbols, with the enums as the integers that they are in C.
                unsafe {
                    let library = sys::culib();
                    Ok(Self {
                        $($field: {
                            let symbols = [$($symbol),+];
                            let mut found = symbols.iter().filter_map(|symbol| {
                                library.get::<unsafe extern "C" fn($($argument),*) -> u32>(symbol.as_bytes()).ok()
                            });
                            *found.next().ok_or(DeviceError::MissingSymbol { symbol: symbols[0] })?
                        },)*
                        $($may: library.get::<unsafe extern "C" fn($($may_argument),*) -> u32>($may_symbol.as_bytes()).ok().map(|found| *found),)*
                    })
                }
            }
        }
    };
}

functions! {
    /// What the harness calls of `cuda.h`.
    Functions {
        required {
            init = "cuInit", (c_uint);
            driver_version = "cuDriverGetVersion", (*mut c_int);
            device_count = "cuDeviceGetCount", (*mut c_int);
            device_get = "cuDeviceGet", (*mut CUdevice, c_int);
            device_name = "cuDeviceGetName", (*mut c_char, c_int, CUdevice);
            device_uuid = "cuDeviceGetUuid_v2" | "cuDeviceGetUuid", (*mut CUuuid, CUdevice);
            device_memory = "cuDeviceTotalMem_v2", (*mut usize, CUdevice);
            device_attribute = "cuDeviceGetAttribute", (*mut c_int, c_uint, CUdevice);
            context_retain = "cuDevicePrimaryCtxRetain", (*mut CUcontext, CUdevice);
            context_release = "cuDevicePrimaryCtxRelease_v2", (CUdevice);
            context_set = "cuCtxSetCurrent", (CUcontext);
            context_synchronize = "cuCtxSynchronize", ();
            memory_info = "cuMemGetInfo_v2", (*mut usize, *mut usize);
            memory_allocate = "cuMemAlloc_v2", (*mut CUdeviceptr, usize);
            memory_free = "cuMemFree_v2", (CUdeviceptr);
            copy_to_device = "cuMemcpyHtoDAsync_v2", (CUdeviceptr, *const c_void, usize, CUstream);
            copy_to_host = "cuMemcpyDtoHAsync_v2", (*mut c_void, CUdeviceptr, usize, CUstream);
            memset = "cuMemsetD8Async", (CUdeviceptr, u8, usize, CUstream);
            host_allocate = "cuMemHostAlloc", (*mut *mut c_void, usize, c_uint);
            host_free = "cuMemFreeHost", (*mut c_void);
            host_address = "cuMemHostGetDevicePointer_v2", (*mut CUdeviceptr, *mut c_void, c_uint);
            module_load = "cuModuleLoadData", (*mut CUmodule, *const c_void);
            module_unload = "cuModuleUnload", (CUmodule);
            module_function = "cuModuleGetFunction", (*mut CUfunction, CUmodule, *const c_char);
            function_set = "cuFuncSetAttribute", (CUfunction, c_uint, c_int);
            occupancy = "cuOccupancyMaxActiveBlocksPerMultiprocessor", (*mut c_int, CUfunction, c_int, usize);
            stream_create = "cuStreamCreate", (*mut CUstream, c_uint);
            stream_destroy = "cuStreamDestroy_v2", (CUstream);
            stream_synchronize = "cuStreamSynchronize", (CUstream);
            event_create = "cuEventCreate", (*mut CUevent, c_uint);
            event_destroy = "cuEventDestroy_v2", (CUevent);
            event_record = "cuEventRecord", (CUevent, CUstream);
            event_synchronize = "cuEventSynchronize", (CUevent);
            event_elapsed = "cuEventElapsedTime_v2" | "cuEventElapsedTime", (*mut f32, CUevent, CUevent);
            launch = "cuLaunchKernel", (
                CUfunction, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, CUstream, *mut *mut c_void, *mut *mut c_void,
            );
            capture_begin = "cuStreamBeginCapture_v2", (CUstream, c_uint);
            capture_end = "cuStreamEndCapture", (CUstream, *mut CUgraph);
            graph_instantiate = "cuGraphInstantiateWithFlags", (*mut CUgraphExec, CUgraph, c_ulonglong);
            graph_launch = "cuGraphLaunch", (CUgraphExec, CUstream);
            graph_destroy = "cuGraphDestroy", (CUgraph);
            graph_exec_destroy = "cuGraphExecDestroy", (CUgraphExec);
            error_name = "cuGetErrorName", (c_uint, *mut *const c_char);
            error_text = "cuGetErrorString", (c_uint, *mut *const c_char);
        }
        optional {
            launch_ex = "cuLaunchKernelEx", (*const CUlaunchConfig, CUfunction, *mut *mut c_void, *mut *mut c_void);
            wait_value = "cuStreamWaitValue32_v2", (CUstream, CUdeviceptr, c_uint, c_uint);
            reset_persisting = "cuCtxResetPersistingL2Cache", ();
            parameter_info = "cuFuncGetParamInfo", (CUfunction, usize, *mut usize, *mut usize);
            encode_tiled = "cuTensorMapEncodeTiled", (
                *mut CUtensorMap, c_uint, c_uint, *mut c_void, *const c_ulonglong, *const c_ulonglong, *const c_uint,
                *const c_uint, c_uint, c_uint, c_uint, c_uint,
            );
        }
    }
}

/// The driver's version as far as it tells one, and how many devices there are.
pub(super) struct Census {
    pub(super) version: u32,
    pub(super) devices: u32,
}

impl Functions {
    /// Turns a code into a result, in the driver's own words.
    pub(super) fn check(&self, what: &'static str, returned: u32) -> Result<(), DeviceError> {
        if returned == code::SUCCESS {
            return Ok(());
        }
        let word = |look_up: unsafe extern "C" fn(c_uint, *mut *const c_char) -> u32| {
            let mut text: *const c_char = ptr::null();
            // SAFETY: the driver writes a pointer to a static string, or null for a code that it does not know.
            let known = unsafe { look_up(returned, &raw mut text) } == code::SUCCESS && !text.is_null();
            // SAFETY: not null, and static by the driver's contract.
            known.then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        };
        let name = word(self.error_name).unwrap_or_else(|| "unknown error".to_owned());
        let text = word(self.error_text).unwrap_or_else(|| "the driver does not explain it".to_owned());
        Err(DeviceError::Call { what, code: returned, name, text })
    }

    pub(super) fn census(&self) -> Result<Census, DeviceError> {
        let mut version: c_int = 0;
        // SAFETY: writes one int; allowed before cuInit.
        self.check("asking for the driver's version", unsafe { (self.driver_version)(&raw mut version) })?;
        // SAFETY: no pointers.
        let started = unsafe { (self.init)(0) };
        let mut devices: c_int = 0;
        match started {
            code::NO_DEVICE | code::STUB_LIBRARY => {}
            started => {
                self.check("starting the driver", started)?;
                // SAFETY: writes one int.
                self.check("counting the devices", unsafe { (self.device_count)(&raw mut devices) })?;
            }
        }
        Ok(Census { version: version.unsigned_abs(), devices: devices.unsigned_abs() })
    }
}
