//! Whole sessions on the fake device: honest kernels pass, and each planted fault is found.

mod faults;
mod once;
mod protocol;
mod timing;

use std::cell::RefCell;
use std::rc::Rc;

use super::device::Properties;
use super::device::fake::{FakeDevice, World};
use super::health::Unwatched;
use super::job::{Bytes, Cache, Job, Timing};
use super::peaks::tests::h200;
use super::plan::{Argument, ArgumentValue, Buffer, Fill, KernelPlan, Launch, Program, Reference, Role, Scalar, Tolerance, Work};
use super::session::{Readiness, Session, SessionError, Shot};
use super::support::Support;
use super::{DType, data};

fn program(entry: &str) -> Program {
    Program {
        name: format!("{entry}.cu"),
        source: String::new(),
        headers: Vec::new(),
        entry: entry.to_owned(),
        standard: "c++17".to_owned(),
        options: Vec::new(),
        defines: Vec::new(),
    }
}

const ELEMENTS: u64 = 1000;

/// `y = 2 x` on a thousand floats, checked against the fake's reference.
fn job(entry: &str) -> Job {
    let launch = Launch { grid: [4, 1, 1], block: [256, 1, 1], shared_bytes: 0, cluster: None };
    let buffer = |fill, role| ArgumentValue::Buffer(Buffer { dtype: DType::F32, shape: vec![ELEMENTS], fill, role });
    let argument = |name: &str, value| Argument { name: name.to_owned(), value };
    let plan = KernelPlan {
        program: program(entry),
        launch,
        arguments: vec![
            argument("x", buffer(Fill::Normal { mean: 0.0, deviation: 1.0, seed: 1 }, Role::Input)),
            argument("y", buffer(Fill::Poison, Role::Output)),
            argument("n", ArgumentValue::Scalar(Scalar::I32(ELEMENTS as i32))),
        ],
        work: Work::default(),
        reference: Some(Reference {
            program: program("reference"),
            launch,
            arguments: ["x", "y", "n"].map(str::to_owned).to_vec(),
            output_dtype: None,
            tolerance: Tolerance { frobenius: 1e-5, largest: 1e-4 },
        }),
        deterministic: true,
    };
    Job { plan, cubin: Bytes(Vec::new()), reference_cubin: Some(Bytes(Vec::new())), timing: Timing::default() }
}

/// A fake device of a small memory, with its support program.
struct Rig {
    device: FakeDevice,
    support: Support,
    world: Rc<RefCell<World>>,
}

impl Rig {
    fn new() -> Self {
        Self::of(Properties { memory_bytes: 64 << 20, l2_bytes: 1 << 20, ..h200() })
    }

    fn of(properties: Properties) -> Self {
        let mut device = FakeDevice::new(properties);
        let world = Rc::clone(&device.world);
        let support = Support::new(&mut device, Some(&[])).unwrap();
        Self { device, support, world }
    }

    fn begin(&mut self, job: Job) -> Result<(Session, Readiness), SessionError> {
        Session::begin(&mut self.device, &self.support, job, 1)
    }

    fn measure(&mut self, session: &mut Session) -> Vec<Shot> {
        session.measure(&mut self.device, &self.support, &Unwatched).unwrap().0
    }

    /// What a whole session finds: before timing, and after some of it.
    fn found(&mut self, job: Job) -> (Vec<String>, Vec<String>) {
        let (mut session, readiness) = self.begin(job).unwrap();
        for _ in 0..3 {
            self.measure(&mut session);
        }
        let after = session.verify_again(&mut self.device, &self.support, &Unwatched).unwrap();
        session.free(&mut self.device);
        (readiness.faults, after)
    }
}
