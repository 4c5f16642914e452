//! One child process from start to end: its own process group, a watchdog, and what it used.
//!
//! The watchdog signals the group only while the process is not reaped, so it can never hit a stranger that got the
//! same number: [`run`] waits without reaping, ends the watchdog, and reaps last.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use wait4::Wait4;

use super::capture::Capture;
use super::finished::{EndedBy, Finished, RunOptions, Wake};
use crate::harness::Ending;

/// Between the polite signal and the one that cannot be refused.
const KILL_GRACE: Duration = Duration::from_millis(500);

/// A process group, by its leader.
pub(in crate::harness) type GroupId = Pid;

/// Kills a group without asking. A group that is gone needs nothing.
pub(in crate::harness) fn kill_now(group: GroupId) {
    let _ = kill_process_group(group, Signal::KILL);
}

/// Runs `command` to its end, or to that of its time. Fails where it cannot be started or waited for.
pub(super) fn run(command: &mut Command, options: RunOptions<'_>) -> io::Result<Finished> {
    let already_requested = options.interrupt.is_requested();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let group = Pid::from_child(&child);
    let (wake, woken) = channel();
    let watched = options.interrupt.watch(group, wake.clone(), already_requested);
    let stdout = child.stdout.take().map(Capture::start);
    let stderr = child.stderr.take().map(Capture::start);
    let timeout = options.timeout;
    let watchdog = std::thread::spawn(move || watch(group, timeout, &woken));
    let waited = wait_without_reaping(group);
    let wall = start.elapsed();
    // A watchdog that has already done its work is gone.
    let _ = wake.send(Wake::Ended);
    let ended_by = join(watchdog);
    if options.kill_leftovers || ended_by != EndedBy::ItsOwn {
        kill_now(group);
    }
    drop(watched);
    let reaped = child.wait4()?;
    waited?;
    Ok(Finished {
        ended_by,
        ending: ending(reaped.status),
        wall,
        cpu: reaped.rusage.utime + reaped.rusage.stime,
        peak_memory: reaped.rusage.maxrss,
        stdout: stdout.map(Capture::finish).unwrap_or_default(),
        stderr: stderr.map(Capture::finish).unwrap_or_default(),
    })
}

/// Waits until the group's leader has ended, but leaves it as a zombie: its number stays ours.
fn wait_without_reaping(leader: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ends the group when its time is over or the user wants to stop: politely first, so that a program can clean up.
fn watch(group: GroupId, timeout: Option<Duration>, woken: &Receiver<Wake>) -> EndedBy {
    let woken_by = match timeout {
        Some(timeout) => woken.recv_timeout(timeout),
        None => woken.recv().map_err(RecvTimeoutError::from),
    };
    let ended_by = match woken_by {
        Ok(Wake::Interrupted) => EndedBy::Interrupted,
        Err(RecvTimeoutError::Timeout) => EndedBy::TimedOut,
        Ok(Wake::Ended) | Err(RecvTimeoutError::Disconnected) => return EndedBy::ItsOwn,
    };
    // A group that is gone by now needs no signal.
    let _ = kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + KILL_GRACE;
    while let Ok(Wake::Interrupted) = woken.recv_timeout(deadline.saturating_duration_since(Instant::now())) {}
    kill_now(group);
    ended_by
}

/// What the watchdog saw. It cannot panic; if it did, the process has still ended by itself.
fn join(watchdog: JoinHandle<EndedBy>) -> EndedBy {
    watchdog.join().unwrap_or(EndedBy::ItsOwn)
}

fn ending(status: ExitStatus) -> Option<Ending> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(Ending::Code(code)),
        (None, signal) => Some(Ending::Signal(signal.unwrap_or_default())),
    }
}
