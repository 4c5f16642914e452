//! A kernel's arguments in device memory: one set is what one launch needs.

use super::data::{Fingerprint, poison, uniform_byte};
use super::device::{Address, Device, DeviceError, Parameter};
use super::fault::Fault;
use super::guarded::Guarded;
use super::plan::{Argument, ArgumentValue, Buffer, KernelPlan, Role};

/// One set of arguments.
pub(super) struct Set {
    /// By argument; `None` where it is no buffer.
    buffers: Vec<Option<Guarded>>,
    /// What inputs hold, by argument.
    prints: Vec<Option<Fingerprint>>,
    /// In the order of the kernel.
    pub(super) parameters: Vec<Parameter>,
}

/// The buffers of a plan with their places among its arguments.
pub(super) fn buffers(plan: &KernelPlan) -> impl Iterator<Item = (usize, &Argument, &Buffer)> {
    plan.arguments.iter().enumerate().filter_map(|(place, argument)| match &argument.value {
        ArgumentValue::Buffer(buffer) => Some((place, argument, buffer)),
        ArgumentValue::Scalar(_) | ArgumentValue::TensorMap(_) => None,
    })
}

/// The parameter of one argument, where `address` tells the address of a buffer by its name.
pub(super) fn parameter(
    device: &dyn Device,
    plan: &KernelPlan,
    argument: &Argument,
    address: &dyn Fn(&str) -> Option<Address>,
) -> Result<Parameter, DeviceError> {
    const NO_BUFFER: DeviceError = DeviceError::Unsupported { what: "buffer of that name for an argument" };
    match &argument.value {
        ArgumentValue::Scalar(scalar) => Ok(Parameter::scalar(*scalar)),
        ArgumentValue::Buffer(_) => address(&argument.name).map(Parameter::address).ok_or(NO_BUFFER),
        ArgumentValue::TensorMap(map) => {
            let viewed = buffers(plan).find(|(_, other, _)| other.name == map.buffer);
            let dtype = viewed.map(|(_, _, buffer)| buffer.dtype).ok_or(NO_BUFFER)?;
            device.tensor_map(map, dtype, address(&map.buffer).ok_or(NO_BUFFER)?)
        }
    }
}

impl Set {
    /// Allocates every buffer; nothing is left allocated where one does not fit.
    pub(super) fn allocate(device: &mut dyn Device, plan: &KernelPlan) -> Result<Self, DeviceError> {
        let mut set = Self { buffers: Vec::new(), prints: vec![None; plan.arguments.len()], parameters: Vec::new() };
        match set.fill_in(device, plan) {
            Ok(()) => Ok(set),
            Err(error) => {
                set.free(device);
                Err(error)
            }
        }
    }

    fn fill_in(&mut self, device: &mut dyn Device, plan: &KernelPlan) -> Result<(), DeviceError> {
        self.buffers.resize_with(plan.arguments.len(), || None);
        for (place, _, buffer) in buffers(plan) {
            self.buffers[place] = Some(Guarded::allocate(device, buffer.bytes())?);
        }
        for argument in &plan.arguments {
            let parameter = parameter(device, plan, argument, &|name| self.address(plan, name))?;
            self.parameters.push(parameter);
        }
        Ok(())
    }

    pub(super) fn free(self, device: &mut dyn Device) {
        self.buffers.into_iter().flatten().for_each(|buffer| buffer.free(device));
    }

    /// The buffer of an argument.
    pub(super) fn buffer(&self, place: usize) -> Option<&Guarded> {
        self.buffers.get(place).and_then(Option::as_ref)
    }

    /// The address of the buffer of this name.
    pub(super) fn address(&self, plan: &KernelPlan, name: &str) -> Option<Address> {
        let place = plan.arguments.iter().position(|argument| argument.name == name)?;
        self.buffer(place).map(Guarded::address)
    }

    /// Buffers of one role, with their names.
    pub(super) fn of_role<'a>(
        &'a self,
        plan: &'a KernelPlan,
        role: Role,
    ) -> impl Iterator<Item = (usize, &'a str, &'a Buffer, &'a Guarded)> {
        let of_role = buffers(plan).filter(move |(_, _, buffer)| buffer.role == role);
        of_role.filter_map(|(place, argument, buffer)| Some((place, argument.name.as_str(), buffer, self.buffer(place)?)))
    }

    /// Writes the inputs of this round.
    pub(super) fn write_inputs(&mut self, device: &mut dyn Device, plan: &KernelPlan, round: u64) -> Result<(), DeviceError> {
        for (place, _, buffer) in buffers(plan).filter(|(_, _, buffer)| buffer.role == Role::Input) {
            if let Some(memory) = self.buffers[place].as_ref() {
                self.prints[place] = Some(memory.write(device, buffer, round)?);
            }
        }
        Ok(())
    }

    /// Poisons the outputs.
    pub(super) fn poison(&self, device: &mut dyn Device, plan: &KernelPlan) -> Result<(), DeviceError> {
        for (_, _, buffer, memory) in self.of_role(plan, Role::Output) {
            memory.fill(device, poison(buffer.dtype))?;
        }
        Ok(())
    }

    /// Poisons the outputs, restores the scratch memory and fills every guard band with `guard`.
    pub(super) fn reset(&self, device: &mut dyn Device, plan: &KernelPlan, guard: u8) -> Result<(), DeviceError> {
        self.poison(device, plan)?;
        for (_, _, buffer, memory) in self.of_role(plan, Role::Scratch) {
            match uniform_byte(buffer) {
                Some(byte) => memory.fill(device, byte)?,
                None => memory.write(device, buffer, 0).map(drop)?,
            }
        }
        self.buffers.iter().flatten().try_for_each(|buffer| buffer.guard(device, guard))
    }

    /// Guard bands that no longer hold `guard`.
    pub(super) fn breaches(&self, device: &mut dyn Device, plan: &KernelPlan, guard: u8) -> Result<Vec<Fault>, DeviceError> {
        let mut faults = Vec::new();
        for (place, argument, _) in buffers(plan) {
            let breach = self.buffer(place).map(|memory| memory.breach(device, guard)).transpose()?.flatten();
            faults.extend(breach.map(|breach| Fault::WroteOutside { argument: argument.name.clone(), breach }));
        }
        Ok(faults)
    }

    /// Inputs that are not what was written.
    pub(super) fn changed_inputs(&self, device: &mut dyn Device, plan: &KernelPlan) -> Result<Vec<String>, DeviceError> {
        let mut changed = Vec::new();
        for (place, name, _, memory) in self.of_role(plan, Role::Input) {
            if self.prints[place] != Some(memory.fingerprint(device)?) {
                changed.push(name.to_owned());
            }
        }
        Ok(changed)
    }

    /// What the outputs hold.
    pub(super) fn output_prints(&self, device: &mut dyn Device, plan: &KernelPlan) -> Result<Vec<Fingerprint>, DeviceError> {
        self.of_role(plan, Role::Output).map(|(_, _, _, memory)| memory.fingerprint(device)).collect()
    }
}

/// Bytes of all buffers of one set, guard bands not counted.
pub(super) fn set_bytes(plan: &KernelPlan) -> u64 {
    buffers(plan).map(|(_, _, buffer)| buffer.bytes()).sum()
}
