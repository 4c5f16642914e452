//! Whether a kernel computes what its reference computes, and touches nothing else.
//!
//! A round writes fresh inputs, lets the reference compute what is expected, and launches the kernel twice: on
//! poisoned outputs between guard bands of one pattern, and again between bands of another. What is wrong is a list of
//! [`Fault`]s, not an error; an error is that the device could not go on.
//!
//! Buffers may be gigabytes, and to read them takes longer than to launch: each is read no more often than it must be.

use super::DType;
use super::arguments::{Set, parameter};
use super::compare::Comparison;
use super::data::{Fingerprint, poison};
use super::device::{Call, Device, DeviceError, KernelId};
use super::fault::Fault;
use super::guarded::Guarded;
use super::plan::{KernelPlan, Reference, Role};

/// What guard bands hold in the first launch: NaN, so that what is read there shows.
const FIRST_GUARD: u8 = 0xFF;
/// And in the second: an ordinary number of every type, so that what is read there shows in another way.
const SECOND_GUARD: u8 = 0x3C;

/// A kernel that is loaded, with its reference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loaded {
    pub(super) kernel: KernelId,
    pub(super) reference: Option<KernelId>,
}

/// What a round found.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// What is wrong; empty is good.
    pub(super) faults: Vec<Fault>,
    /// What the kernel's outputs hold, in their order.
    pub(super) outputs: Vec<Fingerprint>,
}

/// Verifies with the inputs of this round. Afterwards the set holds these inputs and the kernel's outputs.
pub(super) fn verify(
    device: &mut dyn Device,
    plan: &KernelPlan,
    loaded: Loaded,
    set: &mut Set,
    round: u64,
) -> Result<Verified, DeviceError> {
    set.write_inputs(device, plan, round)?;
    set.reset(device, plan, FIRST_GUARD)?;
    let reference = plan.reference.as_ref().zip(loaded.reference);
    let expected = reference.map(|reference| Expected::compute(device, plan, reference, set)).transpose()?;
    let verified = Round { plan, loaded, set, expected: expected.as_ref() }.run(device);
    if let Some(expected) = expected {
        expected.free(device);
    }
    let verified = verified?;
    // Inputs are looked at once, after both have run. Only where they changed is it asked who did it.
    let is_changed = verified.faults.iter().any(|fault| matches!(fault, Fault::InputChanged { .. }));
    if let Some(reference) = reference.filter(|_| is_changed) {
        let faults = changed_by_reference(device, plan, reference, set, round)?;
        if !faults.is_empty() {
            return Ok(Verified { faults, ..verified });
        }
    }
    Ok(verified)
}

/// Inputs that the reference alone changes.
fn changed_by_reference(
    device: &mut dyn Device,
    plan: &KernelPlan,
    reference: (&Reference, KernelId),
    set: &mut Set,
    round: u64,
) -> Result<Vec<Fault>, DeviceError> {
    set.write_inputs(device, plan, round)?;
    Expected::compute(device, plan, reference, set)?.free(device);
    let changed = set.changed_inputs(device, plan)?.into_iter();
    Ok(changed.map(|argument| Fault::InputChanged { argument, by_reference: true }).collect())
}

/// Launches a kernel on a set and waits for all that it began.
pub(super) fn launch_and_wait(
    device: &mut dyn Device,
    plan: &KernelPlan,
    kernel: KernelId,
    set: &Set,
) -> Result<(), DeviceError> {
    device.launch(Call { kernel, launch: &plan.launch, parameters: &set.parameters })?;
    device.synchronize()
}

struct Round<'a> {
    plan: &'a KernelPlan,
    loaded: Loaded,
    set: &'a Set,
    expected: Option<&'a Expected>,
}

impl Round<'_> {
    fn run(&self, device: &mut dyn Device) -> Result<Verified, DeviceError> {
        let (plan, set) = (self.plan, self.set);
        launch_and_wait(device, plan, self.loaded.kernel, set)?;
        let mut faults = set.breaches(device, plan, FIRST_GUARD)?;
        let by_kernel = |argument| Fault::InputChanged { argument, by_reference: false };
        faults.extend(set.changed_inputs(device, plan)?.into_iter().map(by_kernel));
        let looked = self.look_at_outputs(device)?;
        faults.extend(looked.faults);
        if faults.is_empty() {
            faults.extend(self.again(device, &looked.outputs)?);
        }
        Ok(Verified { faults, outputs: looked.outputs })
    }

    /// Launches once more, between other guard bands: the same bits as `first`, or (where they may differ) again near the
    /// reference.
    fn again(&self, device: &mut dyn Device, first: &[Fingerprint]) -> Result<Vec<Fault>, DeviceError> {
        let (plan, set) = (self.plan, self.set);
        set.reset(device, plan, SECOND_GUARD)?;
        launch_and_wait(device, plan, self.loaded.kernel, set)?;
        let mut faults = set.breaches(device, plan, SECOND_GUARD)?;
        if !plan.deterministic {
            faults.extend(self.look_at_outputs(device)?.faults);
            return Ok(faults);
        }
        let second = set.output_prints(device, plan)?;
        if first == second {
            return Ok(faults);
        }
        // Once more between the first guard bands: what is as at first again depends on them.
        set.reset(device, plan, FIRST_GUARD)?;
        launch_and_wait(device, plan, self.loaded.kernel, set)?;
        let third = set.output_prints(device, plan)?;
        faults.push(if first == third {
            Fault::ReadOutside
        } else {
            let differs = first.iter().zip(&second).position(|(first, second)| first != second).unwrap_or_default();
            let argument = set.of_role(plan, Role::Output).nth(differs).map_or(String::new(), |(_, name, ..)| name.to_owned());
            Fault::NotRepeatable { argument }
        });
        Ok(faults)
    }

    /// What the outputs hold, and how far that lies from the reference, where there is one.
    fn look_at_outputs(&self, device: &mut dyn Device) -> Result<Verified, DeviceError> {
        match self.expected {
            Some(expected) => expected.look_at_outputs(device, self.plan, self.set),
            None => Ok(Verified { faults: Vec::new(), outputs: self.set.output_prints(device, self.plan)? }),
        }
    }
}

/// What the reference computed.
struct Expected {
    reference: Reference,
    /// By argument; `None` where it is no output.
    outputs: Vec<Option<Guarded>>,
}

impl Expected {
    fn compute(
        device: &mut dyn Device,
        plan: &KernelPlan,
        (reference, kernel): (&Reference, KernelId),
        set: &Set,
    ) -> Result<Self, DeviceError> {
        let mut expected = Self { reference: reference.clone(), outputs: Vec::new() };
        match expected.launch(device, plan, kernel, set) {
            Ok(()) => Ok(expected),
            Err(error) => {
                expected.free(device);
                Err(error)
            }
        }
    }

    fn launch(&mut self, device: &mut dyn Device, plan: &KernelPlan, kernel: KernelId, set: &Set) -> Result<(), DeviceError> {
        self.outputs.resize_with(plan.arguments.len(), || None);
        for (place, _, buffer, _) in set.of_role(plan, Role::Output) {
            let dtype = self.reference.output_dtype.unwrap_or(buffer.dtype);
            let memory = Guarded::allocate(device, buffer.elements() * dtype.size())?;
            let filled = memory.fill(device, poison(dtype));
            self.outputs[place] = Some(memory);
            filled?;
        }
        let address = |name: &str| {
            let place = plan.arguments.iter().position(|argument| argument.name == name)?;
            let own = self.outputs.get(place).and_then(Option::as_ref).map(Guarded::address);
            own.or_else(|| set.address(plan, name))
        };
        let mut parameters = Vec::new();
        for name in &self.reference.arguments {
            let argument = plan.arguments.iter().find(|argument| argument.name == *name);
            let argument = argument.ok_or(DeviceError::Unsupported { what: "argument of the reference by that name" })?;
            parameters.push(parameter(device, plan, argument, &address)?);
        }
        device.launch(Call { kernel, launch: &self.reference.launch, parameters: &parameters })?;
        device.synchronize()
    }

    fn free(self, device: &mut dyn Device) {
        self.outputs.into_iter().flatten().for_each(|memory| memory.free(device));
    }

    fn look_at_outputs(&self, device: &mut dyn Device, plan: &KernelPlan, set: &Set) -> Result<Verified, DeviceError> {
        let mut verified = Verified::default();
        for (place, name, buffer, found) in set.of_role(plan, Role::Output) {
            let Some(expected) = self.outputs.get(place).and_then(Option::as_ref) else { continue };
            let expected_type = self.reference.output_dtype.unwrap_or(buffer.dtype);
            let (comparison, print) = compare(device, (buffer.dtype, found), (expected_type, expected))?;
            verified.faults.extend(self.judged(name, buffer.elements(), &comparison));
            verified.outputs.push(print);
        }
        Ok(verified)
    }

    fn judged(&self, name: &str, elements: u64, comparison: &Comparison) -> Option<Fault> {
        let argument = name.to_owned();
        if let Some(index) = comparison.bad_reference {
            return Some(Fault::BadReference { argument, index });
        }
        if let Some(first) = comparison.first_nan {
            return Some(Fault::NotANumber { argument, count: comparison.nan, of: elements, first });
        }
        let allowed = self.reference.tolerance;
        let (frobenius, largest) = (comparison.frobenius(), comparison.largest());
        let within = frobenius <= allowed.frobenius && largest <= allowed.largest && comparison.elements() == elements;
        let worst = comparison.worst?;
        (!within).then_some(Fault::Wrong {
            argument,
            frobenius: (frobenius, allowed.frobenius),
            largest: (largest, allowed.largest),
            index: worst.index,
            found: worst.found,
            expected: worst.expected,
        })
    }
}

/// Compares two buffers element by element, a part at a time, and takes the fingerprint of the first meanwhile.
fn compare(
    device: &mut dyn Device,
    (found_type, found): (DType, &Guarded),
    (expected_type, expected): (DType, &Guarded),
) -> Result<(Comparison, Fingerprint), DeviceError> {
    let mut of_reference = Vec::new();
    let (mut comparison, mut print) = (Comparison::default(), Fingerprint::new());
    let mut at = 0;
    found.read(device, &mut |device, part| {
        print.add(part);
        let elements = part.len() as u64 / found_type.size();
        of_reference.resize((elements * expected_type.size()) as usize, 0);
        device.download(expected.address().plus(at * expected_type.size()), &mut of_reference)?;
        comparison.add((found_type, part), (expected_type, &of_reference));
        at += elements;
        Ok(())
    })?;
    Ok((comparison, print))
}
