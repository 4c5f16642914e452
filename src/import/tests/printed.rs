//! Formats that are what a terminal shows: divan, libtest, criterion, Catch2.

use super::*;

fn text_of(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

fn single(value: f64) -> Summary {
    Summary::single(value)
}

/// A line as it is printed in colour.
fn coloured(line: &str) -> String {
    line.split(' ').map(|word| format!("\u{1b}[1;32m{word}\u{1b}[0m")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tree_of_divan_gives_names_that_divan_takes_back() {
    let imported = import_fixture("divan/small.txt");
    assert_eq!(imported.format, Format::Divan);
    let of = |metric: &str| find(&imported, "small::copy::4096", "", metric);
    let time = Summary { n: 5, mean: Some(552.8e-9), min: Some(69.08e-9), max: Some(2.418e-6), ..single(81.33e-9) };
    let measured = of("time");
    assert_eq!((measured.summary.n, measured.metric.unit.symbol()), (5, "s"));
    assert_close(measured.summary.median, time.median);
    assert_close(measured.summary.mean.unwrap(), time.mean.unwrap());
    assert_close(measured.summary.min.unwrap(), time.min.unwrap());
    assert_close(measured.summary.max.unwrap(), time.max.unwrap());
    let rate = Summary { n: 5, mean: Some(7.409e9), min: Some(1.693e9), max: Some(59.29e9), ..single(50.36e9) };
    assert_statistics(of("throughput"), "B/s", Direction::Higher, &rate);
    assert_eq!(of("item_rate").metric.follows.as_ref().unwrap().as_str(), "time");
    let bytes = Summary { n: 5, mean: Some(4096.0), min: Some(4096.0), max: Some(4096.0), ..single(4096.0) };
    assert_statistics(of("alloc_bytes"), "B", Direction::Lower, &bytes);
    assert_eq!(of("max_allocs").metric.unit.symbol(), "{allocs}");
    let times: Vec<&str> =
        imported.measurements.iter().filter(|m| m.metric.name.as_str() == "time").map(|m| m.benchmark.as_str()).collect();
    let expected = [
        "copy::64",
        "copy::4096",
        "plain",
        "fill::u32::8",
        "fill::u32::16",
        "fill::u64::8",
        "fill::u64::16",
        "nested::slow one",
        "nested::threads::t=1",
        "nested::threads::t=2",
    ];
    assert_eq!(times, expected.map(|name| format!("small::{name}")));
    assert!(warnings(&imported)[0].contains("`small::ignored`: skipped by the tool"));
}

#[test]
fn what_divan_shows_as_zero_is_no_time() {
    let tree = "\
bench  fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ a   0 ns          │ 2 ns          │ 1 ns          │ 1 ns          │ 1,000   │ 100
├─ b   0 ns          │ 0 ns          │ 0 ns          │ 0 ns          │ 100     │ 100
╰─ c   1.5 m         │ 2.5 m         │ 2 m           │ 2 m           │ 2       │ 2
";
    let imported = import_text(tree).unwrap();
    let quick = &find(&imported, "bench::a", "", "time").summary;
    assert_eq!((quick.n, quick.median, quick.min, quick.max), (1000, 1e-9, None, Some(2e-9)));
    assert_eq!(find(&imported, "bench::c", "", "time").summary.median, 120.0);
    assert!(warnings(&imported)[0].contains("time left out"), "{:?}", warnings(&imported));
}

#[test]
fn medians_of_libtest_are_read_with_their_thousands() {
    let imported = import_fixture("libtest/small.txt");
    assert_eq!(
        keys(&imported),
        [
            "copies::copy |  | time",
            "copies::copy |  | throughput",
            "copies::slow |  | time",
            "copies::slow |  | throughput",
            "sum |  | time"
        ]
    );
    assert_statistics(find(&imported, "copies::slow", "", "time"), "s", Direction::Lower, &single(1_118_767.7 / 1e9));
    let rate = find(&imported, "copies::copy", "", "throughput");
    assert_statistics(rate, "B/s", Direction::Higher, &single(47_627e6));
    assert_eq!(rate.metric.follows.as_ref().unwrap().as_str(), "time");
    let failing = "test a ... FAILED\ntest b ... bench:           5 ns/iter (+/- 0)\n";
    assert!(warnings(&import_text(failing).unwrap())[0].contains("failed in the tool: test a ... FAILED"));
}

#[test]
fn the_estimate_that_criterion_prints_is_the_value() {
    let imported = import_fixture("criterion-text/small.txt");
    let long = "copy/elements of a name too long for one line";
    assert_eq!(
        keys(&imported),
        [
            "copy/bytes |  | time".to_owned(),
            "copy/bytes |  | throughput".to_owned(),
            format!("{long} |  | time"),
            format!("{long} |  | throughput"),
        ]
    );
    assert_statistics(find(&imported, "copy/bytes", "", "time"), "s", Direction::Lower, &single(236.95 / 1e9));
    let rate = find(&imported, "copy/bytes", "", "throughput");
    assert_eq!(rate.metric.unit.symbol(), "B/s");
    assert_close(rate.summary.median, 16.099 * 1024.0 * 1024.0 * 1024.0);
    assert_statistics(find(&imported, long, "", "throughput"), "/s", Direction::Higher, &single(14.134e9));
    let named = "benchmark: name with time: in it    time:   [18.195 µs 20.930 µs 24.240 µs]\n";
    assert_eq!(keys(&import_text(named).unwrap()), ["benchmark: name with time: in it |  | time"]);
}

#[test]
fn tables_of_catch2_give_means_below_their_test_case() {
    let imported = import_fixture("catch2/small.txt");
    let long = "Vectors/a benchmark whose name is so long that the console reporter has to break it into two lines";
    let expected = ["Vectors/copy 1000", long, "Vectors/inner/reserve", "Sleeping/1 ms"];
    assert_eq!(keys(&imported), expected.map(|name| format!("{name} |  | time")));
    let sleeping = &find(&imported, "Sleeping/1 ms", "", "time").summary;
    assert_eq!((sleeping.n, sleeping.low, sleeping.high), (10, None, None));
    assert_close(sleeping.median, 1.091_32e-3);
    assert_close(sleeping.stddev.unwrap(), 5.902_41e-6);
    assert_eq!(warnings(&imported).len(), 1);
    assert!(warnings(&imported)[0].ends_with("`Sleeping/throws`: failed in the tool: no device"), "{:?}", warnings(&imported));
    let plain = import_fixture("catch2/no-analysis.txt");
    assert_eq!(keys(&plain), keys(&imported));
    let summary = &find(&plain, long, "", "time").summary;
    assert_eq!((summary.n, summary.stddev), (10, None));
    assert_close(summary.median, 20.155e-9);
}

#[test]
fn a_benchmark_that_catch2_ran_for_each_section_counts_once() {
    let text = text_of("catch2/small.txt");
    let start = text.find("---").unwrap();
    let imported = import_text(&format!("{}{}", &text[..text.find("====").unwrap()], &text[start..])).unwrap();
    assert_eq!(imported.measurements, import_text(&text).unwrap().measurements);
    assert!(warnings(&imported).iter().any(|warning| warning.contains("it was measured before")));
}

#[test]
fn colours_change_nothing() {
    for name in ["divan/small.txt", "libtest/small.txt", "criterion-text/small.txt", "catch2/small.txt", "catch2/no-analysis.txt"]
    {
        let text = text_of(name);
        let marked: Vec<String> = text.lines().map(coloured).collect();
        let (plain, marked) = (import_text(&text).unwrap(), import_text(&marked.join("\r\n")).unwrap());
        assert_eq!(plain.measurements, marked.measurements, "{name}");
        assert_eq!(plain.warnings.len(), marked.warnings.len(), "{name}");
    }
}
