//! Kernels as the harness sees them: an executor whose executions are launches in a worker.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use super::session::{Readiness, Shot};
use super::worker::{Opened, Reply, Request, Worker, WorkerError, WorkerOptions};
use crate::harness::{ExecutionError, Executor, Observation, Prepared, Target};
use crate::model::{BenchmarkName, Config, Direction, Metric, MetricName, Unit};
use crate::stats;

/// Events resolve about half a microsecond: below this, a single launch is not measured well.
const SHORTEST_TIME: Duration = Duration::from_micros(5);

/// What the worker does when a kernel is readied or verified takes longer than a batch: host data are made and compared.
const VERIFYING_TIMES: u32 = 4;

/// A kernel at one point, compiled.
#[derive(Debug, Clone)]
pub struct KernelPoint {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// What the worker measures.
    pub job: Arc<Job>,
    /// Hash of the kernel's machine code.
    pub machine_code: String,
    /// The most that one batch may take; four times as much to ready and to verify the kernel.
    pub timeout: Duration,
}

impl KernelPoint {
    /// The timeout where the user gave none.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
}

impl Target for KernelPoint {
    fn benchmark(&self) -> &BenchmarkName {
        &self.benchmark
    }

    fn config(&self) -> &Config {
        &self.config
    }
}

/// Workers for executors: one at a time, started when it is needed and started anew after it died. Clones share it.
#[derive(Clone)]
pub struct Workers {
    shared: Rc<RefCell<Pool>>,
}

struct Pool {
    options: WorkerOptions,
    support: Option<Vec<u8>>,
    worker: Option<Worker>,
    /// Counts the workers: what was prepared in one is lost with it.
    generation: u64,
    seed: u64,
    next_slot: u32,
}

/// Contents that one session may use before the next one's begin.
const SEEDS_OF_A_SESSION: u64 = 1 << 20;

impl Workers {
    /// Workers that are started by `options`. What buffers hold follows from `seed`.
    pub fn new(options: WorkerOptions, seed: u64) -> Self {
        let pool = Pool { options, support: None, worker: None, generation: 0, seed, next_slot: 0 };
        Self { shared: Rc::new(RefCell::new(pool)) }
    }

    /// The device that they run on.
    pub fn opened(&self) -> Result<Opened, WorkerError> {
        Ok(self.shared.borrow_mut().alive()?.opened().clone())
    }

    /// Gives them the compiled [`super::support_program`].
    pub fn support(&self, cubin: Vec<u8>) -> Result<(), WorkerError> {
        let mut pool = self.shared.borrow_mut();
        pool.support = Some(cubin.clone());
        pool.worker.as_mut().map_or(Ok(()), |worker| worker.support(cubin))
    }
}

impl Pool {
    /// The worker, a new one where there is none.
    fn alive(&mut self) -> Result<&mut Worker, WorkerError> {
        let dead = self.worker.take().filter(Worker::is_alive);
        let worker = match dead {
            Some(worker) => worker,
            None => {
                let mut worker = Worker::start(&self.options)?;
                if let Some(cubin) = &self.support {
                    worker.support(cubin.clone())?;
                }
                self.generation += 1;
                worker
            }
        };
        Ok(self.worker.insert(worker))
    }

    /// Contents and a slot that no session had before.
    fn next_session(&mut self) -> (u64, u32) {
        self.seed = self.seed.wrapping_add(SEEDS_OF_A_SESSION);
        self.next_slot = self.next_slot.wrapping_add(1);
        (self.seed, self.next_slot)
    }
}

/// What one execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// One measured time. A point is prepared anew each time.
    Shot,
    /// The median of a batch. Points stay prepared as long as the executor lives: for pairs, which return to their points
    /// again and again.
    Batch,
}

/// Measures kernels in a worker. Executors with the same workers share one, so their launches take turns in one process.
pub struct KernelExecutor {
    workers: Workers,
    execution: Execution,
    /// Of an executor of shots at most one.
    kept: Vec<PreparedKernel>,
    current: usize,
}

struct PreparedKernel {
    point: KernelPoint,
    slot: u32,
    generation: u64,
    readiness: Readiness,
    told: Prepared,
    shots: VecDeque<Shot>,
}

impl KernelExecutor {
    /// An executor of `workers`.
    pub fn new(workers: Workers, execution: Execution) -> Self {
        Self { workers, execution, kept: Vec::new(), current: 0 }
    }

    fn current(&self) -> Option<&PreparedKernel> {
        self.kept.get(self.current)
    }

    /// Asks the worker in which the kernel was prepared.
    fn ask(&self, kernel: &PreparedKernel, request: &Request, times: u32) -> Result<Reply, ExecutionError> {
        let mut pool = self.workers.shared.borrow_mut();
        let generation = pool.generation;
        match &mut pool.worker {
            Some(worker) if worker.is_alive() && generation == kernel.generation => {
                worker.ask(request, kernel.point.timeout * times).map_err(execution_error)
            }
            _ => Err(execution_error(WorkerError::OutOfTurn)),
        }
    }

    fn release(&self, kernel: &PreparedKernel) {
        // A worker that died has nothing to release.
        let _ = self.ask(kernel, &Request::Release { slot: kernel.slot }, 1);
    }

    fn measure(&mut self) -> Result<Vec<Shot>, ExecutionError> {
        // Without a prepared point there is nothing to measure.
        let Some(kernel) = self.current() else { return Ok(Vec::new()) };
        match self.ask(kernel, &Request::Measure { slot: kernel.slot }, 1)? {
            Reply::Measured { shots, .. } if !shots.is_empty() => Ok(shots),
            _ => Err(execution_error(WorkerError::OutOfTurn)),
        }
    }

    fn next_shot(&mut self) -> Result<Option<Shot>, ExecutionError> {
        if self.execution == Execution::Batch {
            let shots = self.measure()?;
            let seconds: Vec<f64> = shots.iter().map(|shot| shot.seconds).collect();
            let throttled = shots.iter().any(|shot| shot.throttled);
            return Ok(stats::median(&seconds).map(|seconds| Shot { seconds, throttled }));
        }
        if self.current().is_some_and(|kernel| kernel.shots.is_empty()) {
            let shots = self.measure()?;
            if let Some(kernel) = self.kept.get_mut(self.current) {
                kernel.shots.extend(shots);
            }
        }
        Ok(self.kept.get_mut(self.current).and_then(|kernel| kernel.shots.pop_front()))
    }

    /// Forgets what was prepared in a worker that is gone.
    fn forget_lost(&mut self) {
        let pool = self.workers.shared.borrow();
        let generation = pool.generation;
        let is_alive = pool.worker.as_ref().is_some_and(Worker::is_alive);
        self.kept.retain(|kernel| is_alive && kernel.generation == generation);
    }
}

impl Executor<KernelPoint> for KernelExecutor {
    fn prepare(&mut self, point: &KernelPoint) -> Result<Prepared, ExecutionError> {
        self.forget_lost();
        if let Some(place) = self.kept.iter().position(|kernel| Arc::ptr_eq(&kernel.point.job, &point.job)) {
            self.current = place;
            return Ok(self.kept.get(place).map(|kernel| kernel.told.clone()).unwrap_or_default());
        }
        let mut pool = self.workers.shared.borrow_mut();
        let (seed, slot) = pool.next_session();
        let worker = pool.alive().map_err(execution_error)?;
        let request = Request::Prepare { slot, job: Box::new(Job::clone(&point.job)), seed };
        let reply = worker.ask(&request, point.timeout * VERIFYING_TIMES).map_err(execution_error)?;
        let Reply::Prepared(readiness) = reply else { return Err(execution_error(WorkerError::OutOfTurn)) };
        let told = told(point, &readiness)?;
        let generation = pool.generation;
        drop(pool);
        let shots = VecDeque::new();
        self.kept.push(PreparedKernel { point: point.clone(), slot, generation, readiness, told: told.clone(), shots });
        self.current = self.kept.len() - 1;
        Ok(told)
    }

    fn execute(&mut self) -> Result<Observation, ExecutionError> {
        let shot = self.next_shot()?;
        let Some((shot, kernel)) = shot.zip(self.current()) else { return Ok(Observation::default()) };
        let seconds = shot.seconds;
        let work = &kernel.point.job.plan.work;
        let rate = |work: f64| Some(work / seconds).filter(|rate| rate.is_finite());
        let mut values = vec![Some(seconds).filter(|seconds| *seconds > 0.0)];
        values.extend(work.flop.map(rate));
        values.extend(work.bytes.map(rate));
        values.extend(kernel.readiness.roof_seconds.map(|roof| rate(100.0 * roof)));
        values.push(Some(kernel.readiness.peak_memory as f64));
        values.extend(work.intensity().map(Some));
        Ok(Observation { values, throttled: shot.throttled })
    }

    fn verify(&mut self) -> Result<Option<String>, ExecutionError> {
        let Some(kernel) = self.current() else { return Ok(None) };
        match self.ask(kernel, &Request::Verify { slot: kernel.slot }, VERIFYING_TIMES)? {
            Reply::Verified { faults } => Ok((!faults.is_empty()).then(|| faults.join("; "))),
            _ => Err(execution_error(WorkerError::OutOfTurn)),
        }
    }

    fn finish(&mut self) -> Result<(), ExecutionError> {
        if self.execution == Execution::Shot {
            for kernel in std::mem::take(&mut self.kept) {
                self.release(&kernel);
            }
        }
        Ok(())
    }
}

impl Drop for KernelExecutor {
    fn drop(&mut self) {
        for kernel in std::mem::take(&mut self.kept) {
            self.release(&kernel);
        }
    }
}

fn execution_error(error: WorkerError) -> ExecutionError {
    match error {
        WorkerError::Interrupted => ExecutionError::Interrupted,
        other => ExecutionError::Other(Box::new(other)),
    }
}

/// What the harness is told of a kernel that is ready.
fn told(point: &KernelPoint, readiness: &Readiness) -> Result<Prepared, ExecutionError> {
    let metrics = metrics(&point.job, readiness).map_err(|error| ExecutionError::Other(Box::new(error)))?;
    let barred = (!readiness.faults.is_empty()).then(|| readiness.faults.join("; "));
    let shortest_time = if readiness.launches > 1 { Duration::ZERO } else { SHORTEST_TIME };
    Ok(Prepared {
        metrics,
        barred,
        machine_code: Some(point.machine_code.clone()),
        shortest_time,
        remarks: readiness.remarks.clone(),
    })
}

/// The metrics in the order of [`KernelExecutor::execute`].
fn metrics(job: &Job, readiness: &Readiness) -> Result<Vec<Metric>, crate::model::InvalidValue> {
    let suffix = job.timing.cache.suffix();
    let metric = |name: &str, unit: Unit, better| {
        Ok(Metric { name: MetricName::new(format!("{name}{suffix}"))?, unit, better, exact: false, follows: None })
    };
    let work = &job.plan.work;
    let time = metric(MetricName::TIME, Unit::SECOND, Direction::Lower)?;
    // What is declared or known of the chip over the very same times.
    let rate = |name: &str, unit: Unit| metric(name, unit, Direction::Higher).map(|rate| rate.following(&time.name));
    let mut metrics = vec![time.clone()];
    if work.flop.is_some() {
        metrics.push(rate("throughput", Unit::FLOP_PER_SECOND)?);
    }
    if work.bytes.is_some() {
        metrics.push(rate("bandwidth", Unit::BYTE_PER_SECOND)?);
    }
    if readiness.roof_seconds.is_some() {
        metrics.push(rate("roofline", Unit::PERCENT)?);
    }
    metrics.push(metric(MetricName::PEAK_MEMORY, Unit::BYTE, Direction::Lower)?);
    if work.intensity().is_some() {
        // Declared, so it is the same whatever the caches hold.
        let name = MetricName::new(MetricName::ARITHMETIC_INTENSITY)?;
        metrics.push(Metric { name, unit: Unit::FLOP_PER_BYTE, better: Direction::Higher, exact: true, follows: None });
    }
    Ok(metrics)
}
