//! Compiling ahead: while the GPU measures one point, all cores compile the ones after it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cuda::{Arch, Compiled, Compiler, KernelPlan};
use crate::report::tuning::Cause;

/// How often the wish to stop is looked for while code is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// One config of a point, compiled.
pub(super) struct Built {
    pub(super) plan: KernelPlan,
    pub(super) arch: Arch,
    pub(super) own: Compiled,
    pub(super) reference: Option<Compiled>,
}

/// A failure before anything ran.
pub(super) type Unbuilt = (Cause, String);

/// A point that is to be compiled: the plan of each config.
struct Order {
    point: usize,
    plans: Vec<Result<(KernelPlan, Arch), String>>,
}

/// Compilers at work.
pub(super) struct Ahead {
    orders: Sender<Order>,
    done: Receiver<(usize, Vec<Result<Built, Unbuilt>>)>,
    kept: HashMap<usize, Vec<Result<Built, Unbuilt>>>,
    /// How many points may sensibly be ordered before the first is waited for.
    pub(super) depth: usize,
}

impl Ahead {
    /// Orders a point.
    pub(super) fn order(&self, point: usize, plans: Vec<Result<(KernelPlan, Arch), String>>) {
        // Without a compiler that listens, waiting ends without an answer.
        let _ = self.orders.send(Order { point, plans });
    }

    /// Waits for a point; `None` where `is_over` says so before it is there.
    pub(super) fn wait(&mut self, point: usize, is_over: &dyn Fn() -> bool) -> Option<Vec<Result<Built, Unbuilt>>> {
        loop {
            if let Some(built) = self.kept.remove(&point) {
                return Some(built);
            }
            match self.done.recv_timeout(LOOK) {
                Ok((done, built)) => {
                    self.kept.insert(done, built);
                }
                Err(RecvTimeoutError::Timeout) if !is_over() => {}
                Err(_) => return None,
            }
        }
    }
}

/// Runs `work` with compilers beside it. What was ordered and is not begun when it returns is not compiled any more.
pub(super) fn with<R>(compiler: &Compiler, work: impl FnOnce(&mut Ahead) -> R) -> R {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.saturating_sub(1).clamp(1, 16);
    let (orders, waiting) = channel::<Order>();
    let (finished, done) = channel();
    let (waiting, is_over) = (Mutex::new(waiting), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let finished = finished.clone();
            scope.spawn(|| {
                let finished = finished;
                loop {
                    let order = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(order) = order else { return };
                    if !is_over.load(Ordering::Relaxed) {
                        let built = order.plans.into_iter().map(|plan| build(compiler, plan)).collect();
                        // Nobody waits any more where the search is over.
                        let _ = finished.send((order.point, built));
                    }
                }
            });
        }
        let mut ahead = Ahead { orders, done, kept: HashMap::new(), depth: threads + 1 };
        let result = work(&mut ahead);
        is_over.store(true, Ordering::Relaxed);
        result
    })
}

fn build(compiler: &Compiler, plan: Result<(KernelPlan, Arch), String>) -> Result<Built, Unbuilt> {
    let (plan, arch) = plan.map_err(|why| (Cause::NoPlan, why))?;
    let failed = |error: crate::cuda::CompileError| (Cause::CompileError, error.to_string());
    let own = compiler.compile(&plan.program, arch).map_err(failed)?;
    let reference = plan.reference.as_ref().map(|reference| compiler.compile(&reference.program, arch));
    let reference = reference.transpose().map_err(failed)?;
    Ok(Built { plan, arch, own, reference })
}
