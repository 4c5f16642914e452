//! Device memory between two guard bands, in which a kernel has no business.

use super::data::{self, CHUNK, Fingerprint};
use super::device::{Address, Device, DeviceError};
use super::plan::Buffer;

/// Bytes before and behind each buffer. A multiple of the alignment of an allocation.
pub(super) const GUARD: u64 = 64 << 10;

/// On which side of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    Behind,
}

/// A guard band that was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) side: Side,
    /// Distance in bytes from the buffer's nearest byte, from 1 on.
    pub(super) distance: u64,
}

/// Who takes the parts of a buffer, and may use the device meanwhile.
pub(super) type Take<'a> = dyn FnMut(&mut dyn Device, &[u8]) -> Result<(), DeviceError> + 'a;

/// A buffer between its guard bands.
#[derive(Debug)]
pub(super) struct Guarded {
    base: Address,
    bytes: u64,
}

impl Guarded {
    pub(super) fn allocate(device: &mut dyn Device, bytes: u64) -> Result<Self, DeviceError> {
        Ok(Self { base: device.allocate(bytes + 2 * GUARD)?, bytes })
    }

    pub(super) fn free(self, device: &mut dyn Device) {
        device.free(self.base);
    }

    /// Where the kernel's data begin.
    pub(super) fn address(&self) -> Address {
        self.base.plus(GUARD)
    }

    /// Fills both guard bands with `byte`.
    pub(super) fn guard(&self, device: &mut dyn Device, byte: u8) -> Result<(), DeviceError> {
        device.fill(self.base, byte, GUARD)?;
        device.fill(self.address().plus(self.bytes), byte, GUARD)
    }

    /// Where the guard bands no longer hold `byte`, nearest to the buffer.
    pub(super) fn breach(&self, device: &mut dyn Device, byte: u8) -> Result<Option<Breach>, DeviceError> {
        let mut band = vec![0; GUARD as usize];
        device.download(self.address().plus(self.bytes), &mut band)?;
        if let Some(place) = band.iter().position(|found| *found != byte) {
            return Ok(Some(Breach { side: Side::Behind, distance: place as u64 + 1 }));
        }
        device.download(self.base, &mut band)?;
        let from_buffer = band.iter().rev().position(|found| *found != byte);
        Ok(from_buffer.map(|place| Breach { side: Side::Before, distance: place as u64 + 1 }))
    }

    /// Sets every byte.
    pub(super) fn fill(&self, device: &mut dyn Device, byte: u8) -> Result<(), DeviceError> {
        device.fill(self.address(), byte, self.bytes)
    }

    /// Writes the contents of this round, and returns their fingerprint.
    pub(super) fn write(&self, device: &mut dyn Device, buffer: &Buffer, round: u64) -> Result<Fingerprint, DeviceError> {
        let mut print = Fingerprint::new();
        let mut chunk = vec![0; CHUNK.min(self.bytes as usize)];
        let mut at = 0;
        while at < self.bytes {
            let part = &mut chunk[..CHUNK.min((self.bytes - at) as usize)];
            data::write(buffer, round, at, part);
            print.add(part);
            device.upload(self.address().plus(at), part)?;
            at += part.len() as u64;
        }
        Ok(print)
    }

    /// The fingerprint of what it holds now.
    pub(super) fn fingerprint(&self, device: &mut dyn Device) -> Result<Fingerprint, DeviceError> {
        let mut print = Fingerprint::new();
        self.read(device, &mut |_, part| {
            print.add(part);
            Ok(())
        })?;
        Ok(print)
    }

    /// Gives what it holds to `take`, in parts of [`CHUNK`] bytes.
    pub(super) fn read(&self, device: &mut dyn Device, take: &mut Take<'_>) -> Result<(), DeviceError> {
        let mut chunk = vec![0; CHUNK.min(self.bytes as usize)];
        let mut at = 0;
        while at < self.bytes {
            let part = &mut chunk[..CHUNK.min((self.bytes - at) as usize)];
            device.download(self.address().plus(at), part)?;
            take(device, part)?;
            at += part.len() as u64;
        }
        Ok(())
    }
}
