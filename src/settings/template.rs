//! The text that `git ratchet init` writes.

/// Texts for a new repository.
#[derive(Debug, Clone, Copy)]
pub struct Template;

impl Template {
    /// A first `ratchet.toml`: one benchmark, and the keys that are changed most often as comments with their defaults.
    pub fn ratchet_toml() -> &'static str {
        RATCHET_TOML
    }
}

const RATCHET_TOML: &str = r#"# Settings of git-ratchet. Every key stands in docs/settings.md; what is commented out is the default.

# base = "origin/main"        # what `git ratchet check` compares with; the default is the remote's main branch

[thresholds]                  # percent
regression = 3                # a change worse than this fails the check
improvement = 5               # a change better than this is called an improvement

# [sampling]
# warmup = "200ms"            # unmeasured executions first; or a count
# min_runs = 20
# max_time = "30s"
# precision = 0.5             # half width of the 95 % interval of the median, percent

[[benchmark]]
name = "example"
command = ["true"]            # replace this by the program to measure; or a shell line: "sort data.txt >sorted.txt"
# build = "make"              # runs once, before the first measurement
# required = true             # `check` fails to give a verdict where this was not measured

# [benchmark.matrix]          # every combination is measured, with {N} in the command replaced
# N = [1000, 100000]

# [[suite]]                   # a tool that measures by itself: criterion, pytest-benchmark, NVBench …
# name = "criterion"
# command = "cargo bench"
# results = "target/criterion"
"#;
