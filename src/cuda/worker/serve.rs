//! The worker's side: does what it is asked until its input ends.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::protocol::{Failure, FailureKind, Opened, Reply, Request, read_line, write_line};
use crate::cuda::device::{CudaDevice, Device, DeviceError, Properties, version_text};
use crate::cuda::health::{NvmlWatch, Unwatched, Watch};
use crate::cuda::session::{Session, SessionError};
use crate::cuda::support::Support;

/// Serves requests from `input` on the GPU, and answers on `out`.
///
/// When the input ends, whoever asked is gone: the process ends soon, whatever a kernel is doing.
pub fn serve(input: impl BufRead + Send + 'static, out: &mut dyn Write) -> io::Result<()> {
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for line in input.lines().map_while(Result::ok) {
            if let Some(request) = read_line::<Request>(&line) {
                let _ = send.send(request.map_err(|error| error.to_string()));
            }
        }
        // Idle, this ends the answering side.
        drop(send);
        end_process();
    });
    let open = |ordinal| {
        let device = CudaDevice::open(ordinal)?;
        let (watch, facts, unwatched): (Box<dyn Watch>, _, _) = match NvmlWatch::find(&device.properties().uuid) {
            Ok(watch) => {
                let facts = watch.facts();
                (Box::new(watch), facts, None)
            }
            Err(error) => (Box::new(Unwatched), BTreeMap::new(), Some(error.to_string())),
        };
        let facts = device_facts(device.properties()).into_iter().chain(facts).collect();
        Ok(Bench { opened: (facts, unwatched), watch, sessions: HashMap::new(), support: None, device: Box::new(device) })
    };
    answer_all(&requests, &open, out)
}

/// What is under way when nobody waits for it any more may take this long.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Ends this process where it has not ended by itself, a hanging kernel or not: the usual end runs what the driver has
/// registered for it, and that may wait for the kernel.
#[expect(clippy::disallowed_methods, reason = "the other side is gone, and a kernel may hang for ever")]
fn end_process() {
    std::thread::sleep(LAST_WORK);
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(0)
}

/// Answers until the requests end or nothing works any more.
pub(in crate::cuda) fn answer_all(
    requests: &Receiver<Result<Request, String>>,
    open: &dyn Fn(u32) -> Result<Bench, DeviceError>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut bench: Option<Bench> = None;
    for request in requests {
        let reply = match (request, &mut bench) {
            (Err(message), _) => Reply::Failed(Failure { message, is_final: true, kind: FailureKind::Other }),
            (Ok(Request::Open { device }), None) => match open(device) {
                Ok(opened) => Reply::Opened(bench.insert(opened).opened()),
                Err(error) => Reply::Failed(Failure { message: error.to_string(), is_final: true, kind: FailureKind::Other }),
            },
            (Ok(request), Some(bench)) => bench.answer(request).unwrap_or_else(|error| Reply::Failed(failure(&error))),
            (Ok(_), None) => {
                Reply::Failed(Failure { message: "no device is open".to_owned(), is_final: true, kind: FailureKind::Other })
            }
        };
        write_line(out, &reply)?;
        if matches!(&reply, Reply::Failed(failure) if failure.is_final) {
            break;
        }
    }
    Ok(())
}

fn failure(error: &SessionError) -> Failure {
    let kind = match error {
        SessionError::OutOfMemory { .. } => FailureKind::OutOfMemory,
        SessionError::DoesNotFit { .. } => FailureKind::DoesNotFit,
        _ => FailureKind::Other,
    };
    Failure { message: error.to_string(), is_final: error.is_sticky(), kind }
}

/// An open device with the kernels on it.
pub(in crate::cuda) struct Bench {
    pub(in crate::cuda) opened: (BTreeMap<String, String>, Option<String>),
    pub(in crate::cuda) watch: Box<dyn Watch>,
    pub(in crate::cuda) sessions: HashMap<u32, Session>,
    pub(in crate::cuda) support: Option<Support>,
    pub(in crate::cuda) device: Box<dyn Device>,
}

impl Bench {
    fn opened(&self) -> Opened {
        let (facts, unwatched) = self.opened.clone();
        Opened { properties: self.device.properties().clone(), facts, unwatched }
    }

    fn answer(&mut self, request: Request) -> Result<Reply, SessionError> {
        let device = self.device.as_mut();
        let support = match (&mut self.support, &request) {
            (Some(support), _) => support,
            (none, Request::Support { cubin }) => {
                none.insert(Support::new(device, cubin.as_ref().map(|bytes| bytes.0.as_slice()))?)
            }
            (none, _) => none.insert(Support::new(device, None)?),
        };
        match request {
            Request::Open { .. } | Request::Support { .. } => Ok(Reply::Done),
            Request::Prepare { slot, job, seed } => {
                if let Some(before) = self.sessions.remove(&slot) {
                    before.free(device);
                }
                let (session, readiness) = Session::begin(device, support, *job, seed)?;
                self.sessions.insert(slot, session);
                Ok(Reply::Prepared(readiness))
            }
            Request::Measure { slot } => {
                let Some(session) = self.sessions.get_mut(&slot) else { return Ok(empty(slot)) };
                let (shots, throttled) = session.measure(device, support, self.watch.as_ref())?;
                Ok(Reply::Measured { shots, throttled })
            }
            Request::Verify { slot } => {
                let Some(session) = self.sessions.get_mut(&slot) else { return Ok(empty(slot)) };
                Ok(Reply::Verified { faults: session.verify_again(device, support, self.watch.as_ref())? })
            }
            Request::Release { slot } => {
                if let Some(session) = self.sessions.remove(&slot) {
                    session.free(device);
                }
                Ok(Reply::Done)
            }
        }
    }
}

fn empty(slot: u32) -> Reply {
    Reply::Failed(Failure { message: format!("slot {slot} is empty"), is_final: false, kind: FailureKind::Other })
}

/// What CUDA tells of a device, as facts of a testbed.
fn device_facts(properties: &Properties) -> BTreeMap<String, String> {
    let facts = [
        ("gpu", properties.name.clone()),
        ("gpu_arch", properties.arch().to_string()),
        ("gpu_memory", format!("{:.1} GiB", properties.memory_bytes as f64 / f64::from(1 << 30))),
        ("gpu_multiprocessors", properties.sm_count.to_string()),
        ("gpu_l2", format!("{} MiB", properties.l2_bytes >> 20)),
        ("gpu_ecc", if properties.ecc { "on" } else { "off" }.to_owned()),
        ("cuda_driver", version_text(properties.driver_version)),
    ];
    facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
}

/// Locks the clocks of a device and keeps them so until `input` ends: then, whatever became of the program that asked,
/// they are what they were. Answers with one line.
///
/// A process of its own does this because no guard in the measuring one survives every end of it.
pub fn keep_clocks(device: u32, mhz: Option<u32>, input: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    let failed = |message: String| Reply::Failed(Failure { message, is_final: true, kind: FailureKind::Other });
    let watch = match CudaDevice::open(device).map(|device| device.properties().uuid.clone()) {
        Ok(uuid) => NvmlWatch::find(&uuid).map_err(|error| format!("NVML does not answer: {error}")),
        Err(error) => Err(error.to_string()),
    };
    let watch = match watch {
        Ok(watch) => watch,
        Err(message) => return write_line(out, &failed(message)),
    };
    match watch.lock_clocks(mhz) {
        Ok(_locked) => {
            write_line(out, &Reply::Done)?;
            io::copy(input, &mut io::sink()).map(drop)
        }
        Err(error) => write_line(out, &failed(error.to_string())),
    }
}
