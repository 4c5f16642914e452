//! Two notes become one as git would make it of sorted lines, and nothing is lost.

use proptest::prelude::*;

use super::*;

fn arbitrary_note() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[a-c]{0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        (0_u64..9).prop_map(|n| Entry::Run(Run { id: id(n), ..run() }).encode().into_bytes()),
    ];
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #[test]
    fn a_difference_is_what_a_union_adds(a in arbitrary_note(), b in arbitrary_note()) {
        let only_a = difference(&a, &b);
        prop_assert_eq!(union([only_a.as_slice(), b.as_slice()]), union([a.as_slice(), b.as_slice()]));
        prop_assert_eq!(difference(&only_a, &b), only_a);
        prop_assert_eq!(difference(&b, &b), Vec::<u8>::new());
    }

    #[test]
    fn union_is_commutative_associative_idempotent_and_loses_no_line(a in arbitrary_note(), b in arbitrary_note(), c in arbitrary_note()) {
        let both = |x: &[u8], y: &[u8]| union([x, y]);
        prop_assert_eq!(both(&a, &b), both(&b, &a));
        prop_assert_eq!(both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
        prop_assert_eq!(both(&a, &a), union([a.as_slice()]));
        let merged = both(&a, &b);
        for line in a.split(|byte| *byte == b'\n').chain(b.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()) {
            prop_assert!(merged.split(|byte| *byte == b'\n').any(|kept| kept == line));
        }
    }
}
