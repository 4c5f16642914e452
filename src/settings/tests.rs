//! Settings as users write them, right and wrong.

use std::time::Duration;

use super::*;
use crate::model::{Config, Direction, Unit};

fn parse(text: &str) -> Settings {
    Settings::parse(text.as_bytes(), "ratchet.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn error(text: &str) -> String {
    Settings::parse(text.as_bytes(), "ratchet.toml").unwrap_err().to_string()
}

/// A file with one benchmark that has these lines more; they begin at line 4.
fn with(lines: &str) -> String {
    format!("[[benchmark]]\nname = \"sort\"\ncommand = \"./sort\"\n{lines}\n")
}

fn name(text: &str) -> BenchmarkName {
    BenchmarkName::new(text).unwrap()
}

fn metric(text: &str) -> MetricName {
    MetricName::new(text).unwrap()
}

fn points(settings: &Settings) -> Vec<String> {
    settings.benchmarks[0].configs().iter().map(Config::to_string).collect()
}

const WHOLE: &str = r#"
base = "origin/main"
history = "all"
baseline = "best-run"
testbed = "bench box"

[thresholds]
regression = -3
improvement = 5

[metric.time]
regression = 2

[sampling]
warmup = "200ms"
max_time = "10s"

[[benchmark]]
name = "sort"
command = ["./sort", "{N}", "--type={dtype}"]
build = "make"
prepare = "./generate {N} > input"
cleanup = ["rm", "input"]
dir = "bench"
env = { THREADS = 2, KIND = "{dtype}" }
timeout = "1.5min"
required = true
inputs = ["src/**"]

[benchmark.matrix]
N = [1000, 2000]
dtype = ["f32", "f64"]

[benchmark.thresholds]
regression = 1.5

[benchmark.sampling]
warmup = 3
max_runs = 50

[[benchmark.metrics]]
name = "time"
regression = 1

[[benchmark.metrics]]
name = "throughput"
regex = 'rate: ([0-9.]+) GB/s'
unit = "GB/s"

[[benchmark.metrics]]
name = "score"
json = "/results/0/score"
better = "higher"
exact = true
source = "stderr"
"#;

#[test]
fn a_whole_file_is_understood() {
    let settings = parse(WHOLE);
    assert_eq!(settings.base.as_deref(), Some("origin/main"));
    assert_eq!((settings.history, settings.baseline), (HistoryMode::All, BaselineMode::BestRun));
    assert_eq!(settings.testbed.as_deref(), Some("bench box"));
    let benchmark = &settings.benchmarks[0];
    assert_eq!((benchmark.timeout, benchmark.required), (Some(Duration::from_secs(90)), true));
    assert_eq!(points(&settings), ["N=1000 dtype=f32", "N=1000 dtype=f64", "N=2000 dtype=f32", "N=2000 dtype=f64"]);
    let commands = benchmark.commands(&benchmark.configs()[1]).unwrap();
    assert_eq!(commands.command, CommandLine::Argv(vec!["./sort".into(), "1000".into(), "--type=f64".into()]));
    assert_eq!(commands.prepare, Some(CommandLine::Shell("./generate 1000 > input".into())));
    assert_eq!(commands.env, [("THREADS".to_owned(), "2".to_owned()), ("KIND".to_owned(), "f64".to_owned())]);
    assert_eq!(commands.dir.as_deref(), Some("bench"));
    let sampling = settings.sampling_for(benchmark);
    assert_eq!((sampling.warmup, sampling.max_runs), (Some(Warmup::Count(3)), Some(50)));
    assert_eq!((sampling.max_time, sampling.min_runs), (Some(Duration::from_secs(10)), None));
}

#[test]
fn printed_metrics_get_unit_and_direction() {
    let metrics = &parse(WHOLE).benchmarks[0].metrics;
    assert_eq!(metrics[0].source, MetricSource::Time);
    let MetricSource::Output { metric, unit, extract, stream } = &metrics[1].source else { panic!("{metrics:?}") };
    assert_eq!((&metric.unit, metric.better, unit.as_str()), (&Unit::BYTE_PER_SECOND, Direction::Higher, "GB/s"));
    assert_eq!((extract, *stream), (&Extract::Regex("rate: ([0-9.]+) GB/s".into()), Stream::Stdout));
    let MetricSource::Output { metric, extract, stream, .. } = &metrics[2].source else { panic!("{metrics:?}") };
    assert_eq!((&metric.unit, metric.exact), (&Unit::ONE, true));
    assert_eq!((extract, *stream), (&Extract::Json("/results/0/score".into()), Stream::Stderr));
}

#[test]
fn the_most_specific_threshold_wins() {
    let settings = parse(WHOLE);
    let regression =
        |settings: &Settings, benchmark, of| settings.thresholds_for(&name(benchmark), &metric(of), false).regression_percent;
    assert_eq!(regression(&settings, "sort", "time"), Some(1.0), "[[benchmark.metrics]]");
    assert_eq!(regression(&settings, "sort", "throughput"), Some(1.5), "[benchmark.thresholds]");
    assert_eq!(regression(&settings, "other", "time"), Some(2.0), "[metric.time]");
    assert_eq!(regression(&settings, "other", "score"), Some(3.0), "[thresholds], the sign is ignored");
    assert_eq!(settings.thresholds_for(&name("sort"), &metric("time"), false).improvement_percent, Some(5.0), "each on its own");
    let overridden = settings.overridden_by(&Overrides { regression_percent: Some(9.0), ..Overrides::default() });
    assert_eq!(regression(&overridden, "sort", "time"), Some(9.0), "an override");
    assert_eq!(Settings::default().thresholds_for(&name("x"), &metric("time"), false), PartialThresholds::default());
}

#[test]
fn git_config_stands_above_the_file() {
    let entries =
        [("ratchet.testbed", "first"), ("ratchet.Testbed", "laptop"), ("ratchet.regression", "4%"), ("ratchet.hook.mode", "x")];
    let overrides = Overrides::from_git_config(entries).unwrap();
    let settings = parse(WHOLE).overridden_by(&overrides);
    assert_eq!(settings.testbed.as_deref(), Some("laptop"));
    assert_eq!(settings.base.as_deref(), Some("origin/main"), "what git config does not say stays");
    assert_eq!(settings.thresholds_for(&name("sort"), &metric("time"), false).regression_percent, Some(4.0));
    let of_builds = Overrides::from_git_config([("ratchet.keepWorktrees", "8"), ("ratchet.incremental", "yes")]).unwrap();
    let settings = parse("incremental = false").overridden_by(&of_builds);
    assert_eq!((settings.keep_worktrees, settings.incremental), (8, true));
    assert!(parse("incremental = true").incremental);
    let refused = Overrides::from_git_config([("ratchet.history", "some")]).unwrap_err().to_string();
    assert_eq!(refused, "git config ratchet.history: `some` is not a history: write \"first-parent\" or \"all\"");
}

#[test]
fn flags_stand_above_git_config() {
    let base = |text: &str| Overrides { base: Some(text.into()), ..Overrides::default() };
    let settings = Settings::default().overridden_by(&base("from-git")).overridden_by(&base("from-flag"));
    assert_eq!(settings.base.as_deref(), Some("from-flag"));
}

#[test]
fn a_benchmark_without_parameters_has_one_point_and_the_default_metrics() {
    let settings = parse(&with(""));
    assert_eq!(points(&settings), [""]);
    let names: Vec<&str> = settings.benchmarks[0].metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["time", "cpu_time", "peak_memory"]);
}

#[test]
fn points_can_be_listed() {
    let settings = parse(&with(
        "[[benchmark.config]]\nname = \"small\"\nN = 1.0\n[[benchmark.config]]\nname = \"large\"\nN = 1e-6\nfast = true",
    ));
    assert_eq!(points(&settings), ["name=small N=1.0", "name=large N=1e-6 fast=true"]);
}

#[test]
fn a_matrix_keeps_the_order_of_the_file() {
    let settings = parse(&with("[benchmark.matrix]\nz = [1, 2]\na = \"x\"\nm = [3, 4]"));
    assert_eq!(points(&settings), ["z=1 a=x m=3", "z=1 a=x m=4", "z=2 a=x m=3", "z=2 a=x m=4"]);
}

#[test]
fn the_first_file_is_valid() {
    let settings = parse(Template::ratchet_toml());
    assert_eq!(settings.benchmarks.len(), 1);
    let uncommented: String = Template::ratchet_toml()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.contains(" = ") || key.starts_with('[') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let settings = parse(&uncommented);
    assert_eq!(settings.base.as_deref(), Some("origin/main"), "every commented key is valid too");
    assert_eq!(settings.benchmarks[0].configs().len(), 2);
}

#[test]
fn every_error_has_its_place() {
    let table: &[(&str, &str)] = &[
        ("base = \"\"", "ratchet.toml:1:8: this must not be empty"),
        ("base = \"a\\nb\"", "ratchet.toml:1:8: this must not contain the character '\\n'"),
        ("\nhistory = \"some\"", "ratchet.toml:2:11: `some` is not a history: write \"first-parent\" or \"all\""),
        ("[thresholds]\nregresion = 3", "ratchet.toml:2:1: unknown field `regresion` (did you mean `regression`?)"),
        (
            "[benchmark.b]\ncommand = \"x\"",
            "ratchet.toml:1:2: one table stands where a list is expected (a table that may be there several times has two brackets, as in [[benchmark]])",
        ),
        ("[thresholds]\nregression = \"3%\"", "ratchet.toml:2:14: invalid type: string \"3%\" (write a number, such as 3)"),
        (
            "[[benchmark]]\nname = \"b\"\ncommand = \"x\"\ninputs = \"src/**\"",
            "ratchet.toml:4:10: invalid type: string \"src/**\" (write a list: [\"src/**\"])",
        ),
        ("[thresholds]\nregression = nan", "ratchet.toml:2:14: `NaN` is not a percentage: write a number such as 3"),
        ("[sampling]\nprecision = 0", "ratchet.toml:2:13: `0` is not a percentage above 0: write a number such as 0.5"),
        ("[sampling]\nmax_time = \"fast\"", "ratchet.toml:2:12: `fast` is not a time"),
        ("[sampling]\nmax_time = 30", "ratchet.toml:2:12: a time needs a unit: write \"30s\" or \"30ms\""),
        ("[sampling]\nmin_runs = 9\nmax_runs = 8", "ratchet.toml:2:12: `min_runs` is above `max_runs`"),
        ("[sampling]\nmin_time = \"9s\"\nmax_time = \"8s\"", "ratchet.toml:2:12: `min_time` is above `max_time`"),
        ("[sampling]\nmin_runs = 0", "ratchet.toml:2:12: "),
        ("[sampling]\nstop = \"soon\"", "ratchet.toml:2:8: `soon` is not a rule to stop by: write \"interval\" or \"entropy\""),
        ("base = ", "ratchet.toml:1:8: "),
    ];
    for (text, expected) in table {
        assert!(error(text).starts_with(expected), "{text}\n  is: {}\nnot: {expected}", error(text));
    }
}

#[test]
fn every_error_of_a_benchmark_has_its_place() {
    let table: &[(&str, &str)] = &[
        ("timeout = \"0s\"", "4:11: this time must be above zero"),
        ("timeout = \"-1s\"", "4:11: `-1s` is not a time"),
        ("timeout = \"99999h\"", "4:11: `99999h` is longer than a week"),
        ("build = 3", "4:9: expected a shell line in quotes or a list of arguments in quotes"),
        ("build = []", "4:9: this command is empty"),
        ("build = \"make {N}\"\nmatrix = { N = 1 }", "4:9: unknown placeholder `{N}` (there are no parameters here"),
        ("cleanup = \"rm {n}\"\nmatrix = { N = 1 }", "4:11: unknown placeholder `{n}` (known here: N"),
        ("prepare = \"awk '{print}'\"", "4:11: unknown placeholder `{print}` (there are no parameters here; write `{{`"),
        ("prepare = \"echo {\"", "4:11: a `{` is not closed (write `{{`"),
        ("dir = \"../x\"", "4:7: `../x` is not a folder inside the repository"),
        ("dir = \"{d}\"\nmatrix = { d = \"/etc\" }", "4:7: `/etc` is not a folder inside the repository"),
        ("matrix = { N = [] }", "4:16: the parameter `N` has no values"),
        ("matrix = { N = [1, 1] }", "4:10: the point `N=1` is there twice"),
        ("matrix = { N = [[1]] }", "4:16: expected a value"),
        ("matrix = { N = 1 }\n[[benchmark.config]]\nN = 2", "4:10: a benchmark has either `matrix` or `config`, not both"),
        ("metrics = []", "4:11: `metrics` is empty"),
        ("metrics = [{ name = \"rate\" }]", "4:21: the metric `rate` is not built in"),
        ("metrics = [{ name = \"time\", unit = \"ms\" }]", "4:21: `unit` has no meaning for a built-in metric"),
        ("metrics = [{ name = \"rate\", regex = '(' }]", "4:37: this regular expression cannot be read: unclosed group"),
        ("metrics = [{ name = \"rate\", json = 'a.b' }]", "4:36: `a.b` is not a JSON pointer (write \"/a/b\")"),
        ("metrics = [{ name = \"rate\", json = '', regex = '' }]", "4:48: a metric has either `regex` or `json`, not both"),
        ("metrics = [{ name = \"rate\", json = '', unit = \"lbs\" }]", "4:47: unknown unit `lbs`"),
        ("metrics = [{ name = \"rate\", json = '' }]", "4:21: it is not known which way `rate` gets better"),
        ("metrics = [{ name = \"time\", json = '' }]", "4:21: `time` is always in s, not in `1`"),
        ("metrics = [{ name = \"time\" }, { name = \"time\" }]", "4:40: this benchmark has the metric `time` twice"),
        ("metrics = [{ name = \"r\", json = '', better = \"big\" }]", "4:46: `big` is not a direction"),
        ("[[benchmark]]\nname = \"sort\"\ncommand = \"x\"", "5:8: there are two benchmarks named `sort`"),
        ("cache = \"hot\"", "4:9: `cache` belongs to a `kernel`, and this benchmark is a command"),
        ("cache = \"warm\"", "4:9: `warm` is no state of a cache: write \"cold\" or \"hot\""),
        ("sampling = { stop = \"entropy\" }", "4:21: `sampling.stop` belongs to a `kernel`, and this benchmark is a command"),
        ("tiemout = \"1s\"", "4:1: unknown field `tiemout` (did you mean `timeout`?)"),
    ];
    for (lines, expected) in table {
        let error = error(&with(lines));
        assert!(error.starts_with(&format!("ratchet.toml:{expected}")), "{lines}\n  is: {error}\nnot: {expected}");
    }
}

#[test]
fn names_with_control_characters_are_refused() {
    let text = "[[benchmark]]\nname = \"so\\u001brt\"\ncommand = \"x\"";
    assert_eq!(error(text), "ratchet.toml:2:8: this must not contain the character '\\u{1b}'");
}

#[test]
fn a_placeholder_that_some_points_lack_is_refused() {
    let text =
        "[[benchmark]]\nname = \"a\"\ncommand = \"x {M}\"\n[[benchmark.config]]\nN = 1\n[[benchmark.config]]\nN = 2\nM = 1";
    assert!(error(text).starts_with("ratchet.toml:3:11: unknown placeholder `{M}` (some points do not have"), "{}", error(text));
}

#[test]
fn giant_matrices_are_refused_before_they_are_made() {
    let values: Vec<String> = (0..1000).map(|value| value.to_string()).collect();
    let axes: String =
        ["a", "b", "c", "d", "e", "f", "g", "h"].iter().map(|axis| format!("{axis} = [{}]\n", values.join(","))).collect();
    let error = error(&with(&format!("[benchmark.matrix]\n{axes}")));
    assert!(error.contains("all benchmarks together may have 10000"), "{error}");
}

#[test]
fn the_points_of_all_benchmarks_count_together() {
    let benchmark = |name: &str| {
        let values: Vec<String> = (0..6000).map(|value| value.to_string()).collect();
        format!("[[benchmark]]\nname = \"{name}\"\ncommand = \"x\"\nmatrix = {{ N = [{}] }}\n", values.join(","))
    };
    assert_eq!(parse(&benchmark("a")).benchmarks[0].configs().len(), 6000);
    assert!(error(&(benchmark("a") + benchmark("b").as_str())).starts_with("ratchet.toml:8:10: this matrix has 6000 points"));
}

#[test]
fn bytes_that_are_not_utf_8_have_a_place() {
    let error = Settings::parse(b"base = \"x\"\n# \xff", "ratchet.toml of origin/main").unwrap_err().to_string();
    assert_eq!(error, "ratchet.toml of origin/main:2:3: this byte is not UTF-8 (save the file as UTF-8)");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let error = Settings::parse(&vec![b'#'; MAX_FILE_BYTES + 1], "ratchet.toml").unwrap_err().to_string();
    assert_eq!(error, "ratchet.toml has 1048577 bytes; settings may have at most 1048576");
}

#[test]
fn deep_nesting_does_no_harm() {
    let text = format!("base = {}", "[".repeat(100_000));
    assert!(error(&text).starts_with("ratchet.toml:1:"), "{}", error(&text));
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let error = load(Path::new("/no/such/ratchet.toml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read /no/such/ratchet.toml: ") && error.contains("git ratchet init"), "{error}");
}

#[test]
fn the_reference_and_the_parser_agree() {
    let reference = include_str!("../../docs/settings.md");
    for block in reference.split("```toml\n").skip(1) {
        parse(block.split("```").next().unwrap_or_default());
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let text = with("prepare = \"\"\"\necho one\necho two\n\"\"\"");
    let marked = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    assert_eq!(parse(&marked), parse(&text));
    assert!(error(&with("  runs = 1").replace('\n', "\r\n")).contains(":4:3"));
}
