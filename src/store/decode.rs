//! Notes decoded on every core: reading them from the pack is quick and has an order, decoding is slow and has none.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::StoreError;
use crate::codec::Note;
use crate::model::ObjectId;

/// Bytes of notes that are handed to a thread at once: enough to make the hand-over cheap.
const BATCH_BYTES: usize = 256 << 10;

/// A note as bytes, and the object that it annotates.
type Raw = (ObjectId, Vec<u8>);

/// Notes and the number of their batch.
type Numbered<T> = (usize, Vec<T>);

/// Decodes notes in the order they come in. The first error ends it.
///
/// A batch waits for a thread that is free, so that few undecoded notes are held at once.
pub(super) fn on_all_cores(notes: impl Iterator<Item = Result<Raw, StoreError>>) -> Result<Vec<(ObjectId, Note)>, StoreError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (hand_over, taken) = sync_channel::<Numbered<Raw>>(0);
    let mut decoded = thread::scope(|scope| {
        // Only the workers hold the receiver: were they all to die, handing over would fail instead of waiting.
        let taken = Arc::new(Mutex::new(taken));
        let workers: Vec<_> =
            (0..threads).map(|_| Arc::clone(&taken)).map(|taken| scope.spawn(move || decode_batches(&taken))).collect();
        drop(taken);
        let read = in_batches(notes, |batch| drop(hand_over.send(batch)));
        drop(hand_over);
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let results: Vec<Numbered<(ObjectId, Note)>> = joined.flatten().collect();
        read.map(|()| results)
    })?;
    decoded.sort_unstable_by_key(|(number, _)| *number);
    Ok(decoded.into_iter().flat_map(|(_, batch)| batch).collect())
}

fn in_batches(
    notes: impl Iterator<Item = Result<Raw, StoreError>>,
    mut hand_over: impl FnMut(Numbered<Raw>),
) -> Result<(), StoreError> {
    let (mut number, mut batch, mut bytes) = (0, Vec::new(), 0);
    for note in notes {
        let note = note?;
        bytes += note.1.len();
        batch.push(note);
        if bytes >= BATCH_BYTES {
            hand_over((number, std::mem::take(&mut batch)));
            (number, bytes) = (number + 1, 0);
        }
    }
    hand_over((number, batch));
    Ok(())
}

fn decode_batches(taken: &Mutex<Receiver<Numbered<Raw>>>) -> Vec<Numbered<(ObjectId, Note)>> {
    let mut decoded = Vec::new();
    // The lock is held while waiting: whoever has it gets the next batch.
    while let Some((number, batch)) = taken.lock().ok().and_then(|receiver| receiver.recv().ok()) {
        decoded.push((number, batch.into_iter().map(|(id, bytes)| (id, Note::decode(&bytes))).collect()));
    }
    decoded
}
