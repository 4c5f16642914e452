//! What a program prints, kept in bounded memory: its beginning and its end.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::harness::extract::Output;

/// Kept from the beginning, and as much from the end, of each stream.
const HALF_BYTES: usize = 4 << 20;

/// How long a stream may stay open after the program ended, before it is taken to belong to something that it left in
/// the background.
const GRACE: Duration = Duration::from_millis(200);

/// The first and the last bytes of a stream.
#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: bool,
}

impl Kept {
    fn push(&mut self, bytes: &[u8], half: usize) {
        let (first, rest) = bytes.split_at(bytes.len().min(half - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(half);
        self.cut |= excess > 0;
        self.tail.drain(..excess);
    }

    /// Head and tail; where something between them was dropped a line break keeps their lines apart.
    fn output(&self) -> Output {
        let mut bytes = self.head.clone();
        if self.cut {
            bytes.push(b'\n');
        }
        let (front, back) = self.tail.as_slices();
        bytes.extend_from_slice(front);
        bytes.extend_from_slice(back);
        Output { bytes, cut: self.cut }
    }
}

/// A stream being read on a thread of its own, so that the program never waits for a full pipe.
pub(super) struct Capture {
    kept: Arc<Mutex<Kept>>,
    ended: Receiver<()>,
}

impl Capture {
    /// Reads `stream` to its end.
    pub(super) fn start(mut stream: impl Read + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (end, ended) = channel();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Some(bytes) = read_some(&mut stream, &mut buffer) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).push(bytes, HALF_BYTES);
            }
            // Nobody listens any more where the stream outlived the program.
            let _ = end.send(());
        });
        Self { kept, ended }
    }

    /// What was read. Where something in the background keeps the stream open, what it prints later is read and
    /// dropped, so that it can live on.
    pub(super) fn finish(self) -> Output {
        // Both outcomes leave the same thing to do: take what is there.
        let _ = self.ended.recv_timeout(GRACE);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).output()
    }
}

fn read_some<'b>(stream: &mut impl Read, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(length) => return Some(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(chunks: &[&str], half: usize) -> (String, bool) {
        let mut kept = Kept::default();
        chunks.iter().for_each(|chunk| kept.push(chunk.as_bytes(), half));
        let output = kept.output();
        (String::from_utf8(output.bytes).unwrap(), output.cut)
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(kept(&["ab", "cdef", "gh"], 4), ("abcdefgh".to_owned(), false));
    }

    #[test]
    fn the_beginning_and_the_end_survive() {
        assert_eq!(kept(&["abcdefg", "hijklm"], 4), ("abcd\njklm".to_owned(), true));
        assert_eq!(kept(&["abcdefghijklm"], 4), ("abcd\njklm".to_owned(), true));
    }
}
