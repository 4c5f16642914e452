//! What is put on the stream besides kernels: events that keep time, gates that hold it back, graphs of launches.

#![expect(unsafe_code, reason = "calls the CUDA driver through its C interface")]

use std::ffi::{c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use cudarc::driver::sys::{CUdeviceptr, CUevent, CUgraph, CUgraphExec, CUstream};

use super::super::DeviceError;
use super::super::error::code;
use super::Driver;

/// `CU_MEMHOSTALLOC_DEVICEMAP`.
const HOST_DEVICEMAP: c_uint = 2;
/// `CU_EVENT_DEFAULT`: with timing.
const EVENT_WITH_TIMING: c_uint = 0;
/// `CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`.
const CAPTURE_THREAD_LOCAL: c_uint = 1;
/// `CU_STREAM_WAIT_VALUE_GEQ`.
const WAIT_UNTIL_AT_LEAST: c_uint = 0;

/// An event that keeps time.
pub(in crate::cuda::device) struct TimingEvent(CUevent);

/// A graph that can be launched.
pub(in crate::cuda::device) struct Graph(CUgraphExec);

/// A word of host memory that the device can wait for.
pub(in crate::cuda::device) struct Gate {
    word: Word,
    address: CUdeviceptr,
}

/// Where that word lies. Whoever has a copy may write to it until the gate is destroyed.
#[derive(Clone, Copy)]
pub(in crate::cuda::device) struct Word(ptr::NonNull<AtomicU32>);

// SAFETY: it is only used as a shared reference to an atomic number.
unsafe impl Send for Word {}

impl Driver {
    pub(in crate::cuda::device) fn event(&self) -> Result<TimingEvent, DeviceError> {
        let mut event: CUevent = ptr::null_mut();
        // SAFETY: writes one handle.
        self.check("making an event", unsafe { (self.functions.event_create)(&raw mut event, EVENT_WITH_TIMING) })?;
        Ok(TimingEvent(event))
    }

    pub(in crate::cuda::device) fn destroy_event(&self, event: &TimingEvent) {
        // SAFETY: made here, not used again.
        let _ = unsafe { (self.functions.event_destroy)(event.0) };
    }

    pub(in crate::cuda::device) fn record(&self, event: &TimingEvent) -> Result<(), DeviceError> {
        // SAFETY: event and stream are ours.
        self.check("recording an event", unsafe { (self.functions.event_record)(event.0, self.stream) })
    }

    pub(in crate::cuda::device) fn elapsed_ms(&self, from: &TimingEvent, to: &TimingEvent) -> Result<f32, DeviceError> {
        let mut milliseconds = 0.0;
        // SAFETY: events are ours; one float is written.
        unsafe {
            self.check("waiting for the kernel", (self.functions.event_synchronize)(to.0))?;
            self.check("reading the time", (self.functions.event_elapsed)(&raw mut milliseconds, from.0, to.0))?;
        }
        Ok(milliseconds)
    }

    pub(in crate::cuda::device) fn synchronize(&self) -> Result<(), DeviceError> {
        // SAFETY: no pointers.
        self.check("waiting for the device", unsafe { (self.functions.context_synchronize)() })
    }

    pub(super) fn synchronize_stream(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is ours.
        self.check("waiting for the kernel", unsafe { (self.functions.stream_synchronize)(self.stream) })
    }

    pub(in crate::cuda::device) fn reset_persisting(&self) {
        // Before Ampere no line persists, and the call says that it is not supported.
        if let Some(reset) = self.functions.reset_persisting {
            // SAFETY: no pointers.
            let _ = unsafe { reset() };
        }
    }

    /// A gate, where the driver can wait for memory.
    pub(in crate::cuda::device) fn gate(&self) -> Option<Gate> {
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
        let gate = Gate { word: Word(word), address };
        if mapped == code::SUCCESS {
            return Some(gate);
        }
        self.destroy_gate(&gate);
        None
    }

    pub(in crate::cuda::device) fn destroy_gate(&self, gate: &Gate) {
        // SAFETY: allocated by cuMemHostAlloc, not used again.
        let _ = unsafe { (self.functions.host_free)(gate.word.0.as_ptr().cast()) };
    }

    /// Makes the stream wait until the gate's word is at least `turn`. `false` where this device cannot.
    pub(in crate::cuda::device) fn wait(&self, gate: &Gate, turn: u32) -> bool {
        // SAFETY: the address is that of the gate's word, which lives as long as the driver.
        let wait = |function: unsafe extern "C" fn(CUstream, CUdeviceptr, c_uint, c_uint) -> u32| unsafe {
            function(self.stream, gate.address, turn, WAIT_UNTIL_AT_LEAST)
        };
        self.functions.wait_value.is_some_and(|function| wait(function) == code::SUCCESS)
    }

    /// Begins to gather launches instead of running them.
    pub(in crate::cuda::device) fn begin_capture(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is ours.
        let returned = unsafe { (self.functions.capture_begin)(self.stream, CAPTURE_THREAD_LOCAL) };
        self.check("capturing launches", returned)
    }

    /// Ends a capture; to be called after every beginning, whatever happened between.
    pub(in crate::cuda::device) fn end_capture(&self) -> Result<Graph, DeviceError> {
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

    pub(in crate::cuda::device) fn replay(&self, graph: &Graph) -> Result<(), DeviceError> {
        // SAFETY: graph and stream are ours.
        self.check("launching a graph", unsafe { (self.functions.graph_launch)(graph.0, self.stream) })
    }

    pub(in crate::cuda::device) fn destroy_graph(&self, graph: &Graph) {
        // SAFETY: made here, not used again.
        let _ = unsafe { (self.functions.graph_exec_destroy)(graph.0) };
    }
}

impl Gate {
    /// What opens it.
    pub(in crate::cuda::device) fn word(&self) -> Word {
        self.word
    }
}

impl Word {
    /// Lets everything through that waits for `turn` or less.
    pub(in crate::cuda::device) fn open(self, turn: u32) {
        // SAFETY: the word lives until `destroy_gate`; the device reads it, only the host writes it.
        unsafe { self.0.as_ref() }.store(turn, Ordering::SeqCst);
    }
}
