//! Three notes, parted by the byte 0: however they are united, the result has every line of each, once and in order.

#![no_main]

use std::collections::BTreeSet;

use git_ratchet::codec::{difference, union};
use libfuzzer_sys::fuzz_target;

fn lines(note: &[u8]) -> BTreeSet<&[u8]> {
    note.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let mut notes = bytes.splitn(3, |byte| *byte == 0);
    let [a, b, c] = [notes.next().unwrap_or_default(), notes.next().unwrap_or_default(), notes.next().unwrap_or_default()];
    let all = union([a, b, c]);
    assert_eq!(union([c, a, b]), all);
    assert_eq!(union([union([a, b]).as_slice(), c]), all);
    assert_eq!(union([a, union([b, c]).as_slice()]), all);
    assert_eq!(union([all.as_slice(), a]), all);
    let expected: Vec<&[u8]> =
        lines(a).into_iter().chain(lines(b)).chain(lines(c)).collect::<BTreeSet<_>>().into_iter().collect();
    let found: Vec<&[u8]> = all.split(|byte| *byte == b'\n').collect();
    assert_eq!(found.split_last(), Some((&&b""[..], &expected[..])));
    let missing = difference(&all, a);
    assert!(lines(&missing).is_disjoint(&lines(a)));
    assert_eq!(union([missing.as_slice(), a]), all);
    assert_eq!(difference(a, &all), b"");
});
