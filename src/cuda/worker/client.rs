//! The asking side: starts a worker, waits for its answers as long as it may take, and kills it when it takes longer.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::protocol::{Failure, Opened, Reply, Request, read_line, write_line};
use crate::cuda::job::Bytes;
use crate::harness::Interrupt;

/// How often the user's wish to stop is looked for while a worker is waited for.
const LOOK: Duration = Duration::from_millis(50);
/// Opening a device may take this long: a driver that sleeps takes seconds to wake.
const OPEN_TIME: Duration = Duration::from_secs(60);
/// Lines of a worker's standard error that are kept.
const KEPT_LINES: usize = 10;

/// How workers are started.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// This program.
    pub program: PathBuf,
    /// The arguments that make it a worker.
    pub arguments: Vec<String>,
    /// The number of the device.
    pub device: u32,
    /// Who may want to stop.
    pub interrupt: Interrupt,
}

/// Why a worker gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It said why.
    #[error(transparent)]
    Failed(Failure),
    /// It took too long and was killed.
    #[error("the kernel was killed after {after:?}: it hangs, or is much slower than expected; a longer `timeout` may be set")]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// It ended without an answer.
    #[error("the process that ran the kernel ended without an answer{}", shown(last_lines))]
    Gone {
        /// The last that it wrote to its standard error.
        last_lines: Vec<String>,
    },
    /// It answered something else than it was asked.
    #[error("the process that ran the kernel answered out of turn")]
    OutOfTurn,
    /// It could not be started.
    #[error("cannot start {}: {source}", program.display())]
    NotStarted {
        /// What was started.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The user wants to stop.
    #[error("interrupted")]
    Interrupted,
}

fn shown(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  stderr | {line}")).collect()
}

/// A running worker with an open device. Dropped, it is killed.
pub struct Worker {
    options: WorkerOptions,
    child: Option<Child>,
    input: Option<ChildStdin>,
    replies: Receiver<Reply>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    opened: Opened,
}

impl Worker {
    /// Starts a worker and opens its device.
    pub fn start(options: &WorkerOptions) -> Result<Self, WorkerError> {
        let mut worker = Self::spawn(options)?;
        match worker.ask(&Request::Open { device: options.device }, OPEN_TIME)? {
            Reply::Opened(opened) => {
                worker.opened = opened;
                Ok(worker)
            }
            _ => Err(WorkerError::OutOfTurn),
        }
    }

    /// Starts a process that locks the clocks, and keeps them locked until it is dropped.
    pub fn keep_clocks(options: &WorkerOptions) -> Result<Self, WorkerError> {
        let mut worker = Self::spawn(options)?;
        worker.reply(OPEN_TIME).map(|_| worker)
    }

    fn spawn(options: &WorkerOptions) -> Result<Self, WorkerError> {
        #[expect(clippy::disallowed_methods, reason = "the worker is this very program")]
        let mut command = Command::new(&options.program);
        command.args(&options.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the asking side, which then ends its worker.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let started = command.spawn();
        let mut child = started.map_err(|source| WorkerError::NotStarted { program: options.program.clone(), source })?;
        let (send, replies) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
                for line in lines {
                    if let Some(Ok(reply)) = read_line(&String::from_utf8_lossy(&line)) {
                        let _ = send.send(reply);
                    }
                }
            });
        }
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stderr) = child.stderr.take() {
            let kept = Arc::clone(&last_lines);
            std::thread::spawn(move || keep_last(BufReader::new(stderr), &kept));
        }
        let input = child.stdin.take();
        Ok(Self { options: options.clone(), child: Some(child), input, replies, last_lines, opened: Opened::default() })
    }

    /// The device.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Gives the worker the compiled [`crate::cuda::support_program`].
    pub fn support(&mut self, cubin: Vec<u8>) -> Result<(), WorkerError> {
        self.ask(&Request::Support { cubin: Some(Bytes(cubin)) }, OPEN_TIME).map(drop)
    }

    /// Asks and waits for the answer. After any error but [`WorkerError::Failed`] with more to come, the worker is dead.
    pub(in crate::cuda) fn ask(&mut self, request: &Request, limit: Duration) -> Result<Reply, WorkerError> {
        // Answers may come so fast that waiting for them never has the time to look.
        if self.options.interrupt.is_requested() {
            self.end();
            return Err(WorkerError::Interrupted);
        }
        let written = match &mut self.input {
            Some(input) => write_line(input, request),
            None => return Err(self.gone()),
        };
        // A worker that is gone cannot be written to; its last words say why.
        let _ = written;
        self.reply(limit)
    }

    fn reply(&mut self, limit: Duration) -> Result<Reply, WorkerError> {
        let began = Instant::now();
        loop {
            match self.replies.recv_timeout(LOOK) {
                Ok(Reply::Failed(failure)) => {
                    if failure.is_final {
                        self.end();
                    }
                    return Err(WorkerError::Failed(failure));
                }
                Ok(reply) => return Ok(reply),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone()),
                Err(RecvTimeoutError::Timeout) if self.options.interrupt.is_requested() => {
                    self.end();
                    return Err(WorkerError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) if began.elapsed() > limit => {
                    self.end();
                    return Err(WorkerError::TimedOut { after: limit });
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Whether it can still be asked.
    pub(in crate::cuda) fn is_alive(&self) -> bool {
        self.child.is_some()
    }

    fn gone(&mut self) -> WorkerError {
        self.end();
        let kept = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        WorkerError::Gone { last_lines: kept.iter().cloned().collect() }
    }

    /// Kills the process. A driver that is stuck may take its time to let it go, so nobody waits for that here.
    fn end(&mut self) {
        self.input = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            std::thread::spawn(move || child.wait());
        }
    }

    /// Lets the process end by itself: its input ends, and it is waited for.
    fn finish(&mut self) {
        self.input = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An idle worker ends when its input does; one that is busy was killed where that was noticed.
        self.finish();
    }
}

fn keep_last(stderr: impl BufRead, kept: &Mutex<VecDeque<String>>) {
    for line in stderr.split(b'\n').map_while(Result::ok) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).chars().take(300).collect());
    }
}
