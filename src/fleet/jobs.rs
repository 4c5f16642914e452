//! Jobs from their submission to their end, side by side.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::words::{End, Queued, Words};
use super::{Slurm, exit_of};
use crate::harness::{Clock, Interrupt, MonotonicClock, Program, Relayed, Said, relay, run_program};

/// How often it is looked whether the user wants to stop.
const TICK: Duration = Duration::from_millis(100);
/// How soon a job that waits is asked why, and how often from then on: the controller has others to answer.
const FIRST_QUESTION: Duration = Duration::from_secs(1);
const NEXT_QUESTION: Duration = Duration::from_secs(30);
/// Between two requests to cancel what did not end yet: the first may have come before the job.
const BETWEEN_CANCELS: Duration = Duration::from_secs(1);
/// The most that a question to Slurm may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name, which no other job has.
    pub name: String,
    /// What runs there.
    pub argv: Vec<String>,
    /// The file of its order, beside which it leaves its exit code.
    pub order: PathBuf,
}

/// What is to be told of a job while it lives.
#[derive(Debug)]
pub enum News {
    /// It printed results.
    Out(Vec<u8>),
    /// It said something on its standard error.
    Line(String),
    /// Slurm said something.
    Slurm(String),
    /// It waits; and why, once that is known.
    Waits(Option<String>),
    /// It ended.
    Ended(Ended),
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code of what was ordered, as far as it came.
    pub code: Option<u8>,
    /// What became of the job, where it did not come to the end of its work.
    pub end: Option<End>,
}

/// Who hears of each job by its place among them and, once it has one, its number in Slurm.
pub type Tell<'a> = dyn FnMut((usize, Option<&str>), News) + 'a;

/// Submits all jobs and listens until the last has ended.
///
/// Where the user wants to stop, all of them are cancelled; what they are measuring has time to clean up then.
///
/// # Errors
/// srun cannot be started.
pub fn run(
    jobs: &[Job],
    slurm: &Slurm,
    (folder, without): (&Path, &[String]),
    interrupt: &Interrupt,
    tell: &mut Tell<'_>,
) -> io::Result<()> {
    let clock = MonotonicClock::new();
    let (heard, hearing) = channel();
    let mut all = Vec::new();
    for (place, job) in jobs.iter().enumerate() {
        let mut running =
            Running { job, slurm, folder, id: None, troubles: Vec::new(), ask_at: None, reason: String::new(), ended: false };
        if let Err(error) = running.submit(place, without, &heard) {
            all.iter().for_each(Running::cancel);
            return Err(error);
        }
        all.push(running);
    }
    let mut cancelled_at = None;
    while all.iter().any(|running| !running.ended) {
        match hearing.recv_timeout(TICK) {
            Ok((place, said)) => {
                if let Some(running) = all.get_mut(place) {
                    let news = running.hear(said, clock.now());
                    news.into_iter().for_each(|news| tell((place, running.id.as_deref()), news));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let now = clock.now();
        if interrupt.is_requested() {
            if cancelled_at.is_none_or(|at| now >= at + BETWEEN_CANCELS) {
                all.iter().filter(|running| !running.ended).for_each(Running::cancel);
                cancelled_at = Some(now);
            }
            continue;
        }
        for (place, running) in all.iter_mut().enumerate() {
            if let Some(why) = running.ask(now) {
                tell((place, running.id.as_deref()), News::Waits(Some(why)));
            }
        }
    }
    Ok(())
}

struct Running<'a> {
    job: &'a Job,
    slurm: &'a Slurm,
    folder: &'a Path,
    id: Option<String>,
    /// What went wrong in Slurm's words.
    troubles: Vec<String>,
    /// When a job that waits is asked why.
    ask_at: Option<Duration>,
    reason: String,
    ended: bool,
}

impl Running<'_> {
    fn submit(&mut self, place: usize, without: &[String], heard: &Sender<(usize, Said)>) -> io::Result<()> {
        let argv = self.slurm.srun(&self.job.name, &self.folder.to_string_lossy(), &self.job.argv);
        relay(Relayed { argv: &argv, directory: self.folder, without }, place, heard)
    }

    fn hear(&mut self, said: Said, now: Duration) -> Vec<News> {
        match said {
            Said::Out(bytes) => vec![News::Out(bytes)],
            Said::Ended => self.end(),
            Said::Err(line) => match Words::of(&line) {
                Words::OfJob(line) => {
                    // Where a node is free at once srun does not tell the number.
                    self.id = self.id.take().or_else(|| super::words::announced(&line));
                    vec![News::Line(line)]
                }
                Words::Other(line) => vec![News::Slurm(line)],
                Words::Waits(id) => {
                    self.id = Some(id);
                    self.ask_at = Some(now + FIRST_QUESTION);
                    vec![News::Waits(None)]
                }
                Words::Begins(id) => {
                    self.id = Some(id);
                    self.ask_at = None;
                    Vec::new()
                }
                Words::Trouble(trouble) => {
                    self.troubles.push(trouble);
                    Vec::new()
                }
            },
        }
    }

    /// What a job left behind. Troubles that did not keep it from its end are told as they are.
    fn end(&mut self) -> Vec<News> {
        self.ended = true;
        self.ask_at = None;
        let code = exit_of(&self.job.order);
        let queued = self.queued();
        self.id = queued.as_ref().map(|queued| queued.id.clone()).or(self.id.take());
        let end = End::of(&self.troubles, queued.as_ref().map(|queued| queued.state.as_str()));
        // What was interrupted from outside says so with a 4 where it had the time.
        let is_cut_short = code.is_none() || (code == Some(INTERRUPTED) && end.is_from_outside());
        if is_cut_short {
            return vec![News::Ended(Ended { code, end: Some(end) })];
        }
        let mut news: Vec<News> = self.troubles.drain(..).map(|trouble| News::Slurm(format!("srun: {trouble}"))).collect();
        news.push(News::Ended(Ended { code, end: None }));
        news
    }

    /// Why a job waits, where it is time to ask and the answer is a new one.
    fn ask(&mut self, now: Duration) -> Option<String> {
        self.ask_at.filter(|at| now >= *at)?;
        self.ask_at = Some(now + NEXT_QUESTION);
        let queued =
            self.queued().filter(|queued| queued.state == "PENDING" && !matches!(queued.reason.as_str(), "" | "None"))?;
        if queued.reason == self.reason {
            return None;
        }
        self.reason = queued.reason;
        Some(super::reason(&self.reason))
    }

    fn queued(&self) -> Option<Queued> {
        Queued::of(&String::from_utf8_lossy(&self.of_slurm(&self.slurm.squeue(&self.job.name))?))
    }

    fn cancel(&self) {
        // Where it fails it is tried again as long as the job lives.
        let _ = self.of_slurm(&self.slurm.scancel(&self.job.name));
    }

    /// Also after the user wants to stop.
    fn of_slurm(&self, argv: &[String]) -> Option<Vec<u8>> {
        let program = Program { argv, directory: self.folder, environment: &[], timeout: PATIENCE };
        run_program(&program, &Interrupt::default()).ok().map(|ran| ran.stdout)
    }
}

/// The exit code of what was interrupted.
const INTERRUPTED: u8 = 4;
