//! Notes read on every core: taking them from the pack is quick and has an order, understanding them is slow and has
//! none.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::StoreError;
use crate::model::ObjectId;

/// Bytes of notes that are handed to a thread at once: enough to make the hand-over cheap.
const BATCH_BYTES: usize = 256 << 10;

/// A note as bytes, and the object that it annotates.
type Raw = (ObjectId, Vec<u8>);

/// Notes, and the number of the first of them.
type Batch = (usize, Vec<Raw>);

/// Gives every note to one of several workers, with its number in the order they come in, and returns the workers. The
/// first error ends it.
///
/// A batch waits for a thread that is free, so that few notes are held at once.
pub(super) fn on_all_cores<W: Send>(
    notes: impl Iterator<Item = Result<Raw, StoreError>>,
    worker: impl Fn() -> W + Sync,
    read: impl Fn(&mut W, usize, ObjectId, &[u8]) + Sync,
) -> Result<Vec<W>, StoreError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (hand_over, taken) = sync_channel::<Batch>(0);
    let (worker, read) = (&worker, &read);
    thread::scope(|scope| {
        // Only the workers hold the receiver: were they all to die, handing over would fail instead of waiting.
        let taken = Arc::new(Mutex::new(taken));
        let start = |taken: Arc<Mutex<Receiver<Batch>>>| scope.spawn(move || work(&taken, worker(), read));
        let workers: Vec<_> = (0..threads).map(|_| start(Arc::clone(&taken))).collect();
        drop(taken);
        let handed_over = in_batches(notes, |batch| drop(hand_over.send(batch)));
        drop(hand_over);
        let join =
            |worker: thread::ScopedJoinHandle<'_, W>| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let workers: Vec<W> = workers.into_iter().map(join).collect();
        handed_over.map(|()| workers)
    })
}

fn in_batches(notes: impl Iterator<Item = Result<Raw, StoreError>>, mut hand_over: impl FnMut(Batch)) -> Result<(), StoreError> {
    let (mut first, mut batch, mut bytes) = (0, Vec::new(), 0);
    for (number, note) in notes.enumerate() {
        let note = note?;
        bytes += note.1.len();
        batch.push(note);
        if bytes >= BATCH_BYTES {
            hand_over((first, std::mem::take(&mut batch)));
            (first, bytes) = (number + 1, 0);
        }
    }
    hand_over((first, batch));
    Ok(())
}

fn work<W>(taken: &Mutex<Receiver<Batch>>, mut worker: W, read: impl Fn(&mut W, usize, ObjectId, &[u8])) -> W {
    // The lock is held while waiting: whoever has it gets the next batch.
    while let Some((first, batch)) = taken.lock().ok().and_then(|receiver| receiver.recv().ok()) {
        for (number, (annotated, note)) in (first..).zip(batch) {
            read(&mut worker, number, annotated, &note);
        }
    }
    worker
}
