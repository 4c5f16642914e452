//! Expressions are arithmetic on parameters: whatever else stands there is an error that says why, soon.

use proptest::prelude::*;

use super::*;

/// The grid in x of a kernel whose config has the usual names.
fn evaluate(expression: &str) -> Result<u32, String> {
    let grid = format!("[{expression:?}]");
    let top = "matrix = { ROWS = [1000], SCALE = [0.5], dtype = [\"f16\"], wide = [true] }\ntunables = { BLOCK = { values = [128], default = 128 } }";
    let manifest = Parts { top, grid: &grid, ..Parts::default() }.load().map_err(|error| error.to_string())?;
    plan(&manifest).map(|plan| plan.launch.grid[0]).map_err(|error| error.to_string())
}

#[test]
fn expressions_are_arithmetic() {
    for (expression, value) in [
        ("ROWS / 3", 333),
        ("ROWS % 7 + 2 * 3", 12),
        ("ceil_div(ROWS, BLOCK)", 8),
        ("round_up(ROWS, BLOCK)", 1024),
        ("min(ROWS, 64) + max(1, 2)", 66),
        ("log2(ROWS)", 9),
        ("size(dtype) * 8", 16),
        ("if dtype == \"f16\" && ROWS > 10 { 5 } else { 6 }", 5),
        ("if wide { 2 } else { 1 }", 2),
        ("if !wide || ROWS < 0 { 2 } else { 1 }", 1),
        ("ROWS * SCALE", 500),
        ("max(ROWS * SCALE, 600)", 600),
        ("-ROWS + 1001", 1),
        ("(ROWS + BLOCK - 1) / BLOCK", 8),
        ("warp_size", 32),
        ("arch", 80),
        ("max_threads_per_block", 1024),
        ("shared_bytes_per_block", 166_912),
    ] {
        assert_eq!(evaluate(expression), Ok(value), "{expression}");
    }
}

#[test]
fn expressions_that_make_no_sense_say_why() {
    for (expression, words) in [
        ("ROW", &["`ROW`", "did you mean `ROWS`"][..]),
        ("x", &["there is no `x`", "ROWS", "BLOCK"]),
        ("ROWS / 0", &["launch.grid", "ROWS / 0", "zero"]),
        ("ROWS % 0", &["zero"]),
        ("9223372036854775807 + ROWS", &["overflow"]),
        ("9223372036854775807 * ROWS", &["overflow"]),
        ("-9223372036854775807 - ROWS", &["overflow"]),
        ("2 ** 64", &["overflow"]),
        ("1 - ROWS", &["gives -999", "from 1 to 2147483647"]),
        ("ROWS * 10000000", &["from 1 to 2147483647"]),
        ("ROWS * 0", &["gives 0"]),
        ("ROWS / SCALE / 3.0", &["not a whole number"]),
        ("dtype", &["a text"]),
        ("wide", &["a truth value"]),
        ("size(\"f8\")", &["`f8` is no element type"]),
        ("log2(0)", &["log2(0)"]),
        ("ceil_div(ROWS, 0)", &["ceil_div(1000, 0)"]),
        ("sqrt(ROWS)", &["there is no `sqrt`", "ceil_div"]),
        ("let x = 1", &["this is no expression"]),
        ("while true {}", &["this is no expression"]),
        ("ROWS +", &["this is no expression"]),
        ("[1, 2]", &["not a number"]),
        ("eval(\"1\")", &["eval"]),
        ("", &["no expression"]),
    ] {
        let error = evaluate(expression).expect_err(expression);
        for word in words {
            assert!(error.contains(word), "{expression}: no `{word}` in: {error}");
        }
        assert!(error.starts_with("k/k.toml: launch.grid"), "{error}");
    }
}

#[test]
fn hostile_expressions_are_stopped() {
    let deep = format!("{}1{}", "(".repeat(400), ")".repeat(400));
    assert!(evaluate(&deep).is_err());
    let long = vec!["1"; 600].join("+");
    assert!(evaluate(&long).unwrap_err().contains("at most 1024 bytes"));
    assert!(evaluate("\"a\" * 1000").is_err());
    let doubled = (0..40).fold("\"ab\"".to_owned(), |text, _| if text.len() < 400 { format!("({text}+{text})") } else { text });
    assert!(evaluate(&doubled).is_err());
}

proptest! {
    /// Whatever stands there: an answer or an error, never a panic and never long.
    #[test]
    fn any_text_is_an_expression_or_an_error(text in "\\PC{0,60}") {
        let _ = evaluate(&text);
    }

    #[test]
    fn anything_made_of_known_words_is_answered(words in prop::collection::vec(prop::sample::select(vec![
        "ROWS", "BLOCK", "SCALE", "dtype", "+", "-", "*", "/", "%", "(", ")", "min", "ceil_div", "round_up", ",", "1", "0", "9223372036854775807",
        "if", "{", "}", "else", "==", "&&", "!", "log2", "size", "\"f16\"", "..", "[", "]", "**", "<<", "|", "=>", "switch", ".", ";", "`", "${",
    ]), 0..12)) {
        let _ = evaluate(&words.join(" "));
    }
}
