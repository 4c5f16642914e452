//! One `[[suite]]` of the settings: a program that measures many benchmarks itself and writes their results in a format that
//! `git ratchet record` reads. What its benchmarks are called, the results say.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use toml::Spanned;

use super::benchmark::CommandPattern;
use super::check::thresholds;
use super::error::Problem;
use super::parameters::{Parameters, parsed};
use super::placeholder::Pattern;
use super::raw::RawSuite;
use super::{CommandLine, PartialThresholds};
use crate::model::{BenchmarkName, Config, Direction};

/// In `command` and `one`: the file that the results are wanted in.
const RESULTS: &str = "results";
/// In `one`: the benchmark that is measured alone.
const BENCHMARK: &str = "benchmark";
/// The same for a tool that takes a regular expression.
const BENCHMARK_REGEX: &str = "benchmark:regex";

/// A suite as the settings describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Its name, unique among benchmarks and suites of the file.
    pub name: BenchmarkName,
    /// The file or folder with results that it leaves in its working folder; `None` where it writes them to the file that it is
    /// given, or to its standard output.
    pub results: Option<String>,
    /// The format of the results, in the word of `git ratchet record`; found from the content where absent.
    pub format: Option<String>,
    /// The better direction of metrics for which neither the results nor the unit nor the name tells it.
    pub better: Option<Direction>,
    /// Runs once, before the suite.
    pub build: Option<CommandLine>,
    /// Runs before the suite.
    pub prepare: Option<CommandLine>,
    /// Runs after the suite, also when it failed.
    pub cleanup: Option<CommandLine>,
    /// Working folder relative to the root of the repository; `None` is the root.
    pub dir: Option<String>,
    /// Added to the environment, in the order of the file.
    pub env: Vec<(String, String)>,
    /// Where the suite may take at most this long.
    pub timeout: Option<Duration>,
    /// Whether `check` must find it measured.
    pub required: bool,
    /// Globs of the files that it depends on.
    pub inputs: Vec<String>,
    /// Thresholds of all its benchmarks.
    pub thresholds: PartialThresholds,
    benchmarks: Names,
    command: CommandPattern,
    one: Option<Vec<Pattern>>,
}

/// Globs of names, with their compiled form.
#[derive(Debug, Clone, Default)]
struct Names {
    patterns: Vec<String>,
    set: GlobSet,
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

/// Why one benchmark of a suite cannot be measured alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCommand {
    /// The name would be read as an option of the program.
    #[error("`{0}` would be an option of the command in `one`")]
    LooksLikeOption(String),
    /// `one` names a parameter that the series does not have.
    #[error("`one` of the suite wants {{{0}}}, and this series has no such parameter")]
    NoParameter(String),
}

impl Suite {
    /// Everything that is run, and where.
    pub(super) fn recipe(&self) -> impl std::fmt::Debug + '_ {
        (&self.build, &self.prepare, &self.command, &self.one, &self.dir, &self.env)
    }

    /// Whether results of this name are this suite's.
    pub fn measures(&self, benchmark: &BenchmarkName) -> bool {
        self.benchmarks.patterns.is_empty() || self.benchmarks.set.is_match(benchmark.as_str())
    }

    /// Whether its command is told which file to write.
    pub fn wants_file(&self) -> bool {
        self.command.parameters().any(|name| name == RESULTS)
    }

    /// What measures everything, with the results in the file `results` where the command says so.
    pub fn command(&self, results: &str) -> CommandLine {
        match &self.command {
            CommandPattern::Argv(words) => CommandLine::Argv(fill(words, |name| (name == RESULTS).then_some(results))),
            CommandPattern::Shell(line) => {
                let quoted = shell_words::quote(results);
                CommandLine::Shell(line.fill_by(|name| (name == RESULTS).then_some(quoted.as_ref())))
            }
        }
    }

    /// What measures this benchmark: `one` with its name and parameters, or the whole suite where there is no `one`.
    ///
    /// Names and parameters come from notes, which other people write. So `one` is a list of arguments that no shell reads,
    /// and a value in a place of its own must not look like an option.
    ///
    /// # Errors
    /// A parameter that the series lacks, or a value that looks like an option.
    pub fn command_for(&self, benchmark: &BenchmarkName, config: &Config, results: &str) -> Result<CommandLine, NoCommand> {
        let Some(one) = &self.one else { return Ok(self.command(results)) };
        let escaped = literal_regex(benchmark.as_str());
        let value = |name: &str| match name {
            RESULTS => Some(results),
            BENCHMARK => Some(benchmark.as_str()),
            BENCHMARK_REGEX => Some(escaped.as_str()),
            _ => config.get(name),
        };
        for word in one {
            if let Some(unknown) = word.parameters().find(|name| value(name).is_none()) {
                return Err(NoCommand::NoParameter(unknown.to_owned()));
            }
            let filled = word.fill_by(value);
            if word.begins_with_parameter() && filled.starts_with('-') {
                return Err(NoCommand::LooksLikeOption(filled));
            }
        }
        Ok(CommandLine::Argv(fill(one, value)))
    }
}

/// A regular expression for this text alone. Escaped is what all dialects agree on: some refuse a backslash before anything else.
fn literal_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r".[\()*+?{|^$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn fill<'v>(words: &[Pattern], value: impl Fn(&str) -> Option<&'v str>) -> Vec<String> {
    words.iter().map(|word| word.fill_by(&value)).collect()
}

/// Every suite of the file. `lines` has the names of the benchmarks, which are not theirs to take.
pub(super) fn all(suites: &[Spanned<RawSuite>], lines: &mut HashMap<BenchmarkName, Range<usize>>) -> Result<Vec<Suite>, Problem> {
    let mut checked = Vec::new();
    for raw in suites.iter().map(Spanned::as_ref) {
        let suite = suite(raw)?;
        let span = raw.name.span();
        if lines.insert(suite.name.clone(), span.clone()).is_some() {
            return Err(Problem::at(span, format!("another benchmark or suite is named `{}`", suite.name)).hint("rename one"));
        }
        if suites.len() > 1 && raw.benchmarks.is_none() {
            let message = format!("there are several suites, and `{}` does not say which benchmarks are its own", suite.name);
            return Err(Problem::at(span, message).hint("add benchmarks = [\"NAME/*\"] to each"));
        }
        checked.push(suite);
    }
    Ok(checked)
}

fn suite(raw: &RawSuite) -> Result<Suite, Problem> {
    let name = raw.name.as_ref().0.as_str();
    let (of_command, none) = (Parameters::named(&[RESULTS]), Parameters::named(&[]));
    let command = of_command.command(&raw.command)?;
    let is_told_file = command.parameters().next().is_some();
    let plain = |raw| -> Result<_, Problem> { Ok(none.optional_command(raw)?.map(|pattern| pattern.fill(&Config::empty()))) };
    let env = none.environment(&raw.env)?;
    let suite = Suite {
        name: BenchmarkName::new(name).map_err(|error| Problem::at(raw.name.span(), error.to_string()))?,
        results: results(raw)?,
        format: raw.format.as_ref().map(|format| format.0.clone()),
        better: raw.better.map(|better| better.0),
        build: plain(&raw.build)?,
        prepare: plain(&raw.prepare)?,
        cleanup: plain(&raw.cleanup)?,
        dir: raw.dir.as_ref().map(|dir| none.directory(dir)).transpose()?.map(|dir| dir.fill(&Config::empty())),
        env: env.into_iter().map(|(name, value)| (name, value.fill(&Config::empty()))).collect(),
        timeout: raw.timeout.map(|timeout| timeout.0),
        required: raw.required,
        inputs: raw.inputs.iter().map(|glob| glob.0.clone()).collect(),
        thresholds: thresholds(raw.thresholds),
        benchmarks: names(raw)?,
        one: one(raw, is_told_file)?,
        command,
    };
    match &raw.results {
        Some(results) if is_told_file => {
            Err(Problem::at(results.span(), "`command` is told the file with {results}, so `results` says it twice")
                .hint("remove one of them"))
        }
        _ => Ok(suite),
    }
}

fn results(raw: &RawSuite) -> Result<Option<String>, Problem> {
    let Some(results) = &raw.results else { return Ok(None) };
    let path = results.as_ref().0.as_str();
    if !super::kernel::stays_inside(path) {
        return Err(Problem::at(results.span(), format!("`{path}` is not inside the working folder"))
            .hint("`results` is relative to `dir`, without `..`; or write {results} in `command` for a file of our own"));
    }
    Ok(Some(path.to_owned()))
}

fn names(raw: &RawSuite) -> Result<Names, Problem> {
    let Some(given) = &raw.benchmarks else { return Ok(Names::default()) };
    if given.as_ref().is_empty() {
        return Err(Problem::at(given.span(), "`benchmarks` is empty").hint("leave it out where the suite measures them all"));
    }
    let invalid = |error: globset::Error| Problem::at(given.span(), error.to_string());
    let patterns: Vec<String> = given.as_ref().iter().map(|glob| glob.0.clone()).collect();
    let mut set = GlobSetBuilder::new();
    for pattern in &patterns {
        set.add(Glob::new(pattern).map_err(invalid)?);
    }
    Ok(Names { set: set.build().map_err(invalid)?, patterns })
}

fn one(raw: &RawSuite, is_told_file: bool) -> Result<Option<Vec<Pattern>>, Problem> {
    let Some(given) = &raw.one else { return Ok(None) };
    let words: Vec<Pattern> = given.as_ref().iter().map(|word| parsed(word, &given.span())).collect::<Result<_, _>>()?;
    let has = |wanted: &str| words.iter().flat_map(Pattern::parameters).any(|name| name == wanted);
    if given.as_ref().first().is_none_or(String::is_empty) || words[0].parameters().next().is_some() {
        return Err(Problem::at(given.span(), "`one` begins with no program").hint("write [\"program\", \"{benchmark}\"]"));
    }
    if !has(BENCHMARK) && !has(BENCHMARK_REGEX) {
        return Err(Problem::at(given.span(), "`one` does not say which benchmark: {benchmark} is missing")
            .hint("leave `one` out where the suite cannot measure a benchmark alone"));
    }
    if has(RESULTS) != is_told_file {
        return Err(Problem::at(given.span(), "`command` and `one` leave their results in different places")
            .hint("write {results} in both or in neither"));
    }
    Ok(Some(words))
}

#[cfg(test)]
mod tests {
    use crate::model::{BenchmarkName, Config, MetricName};
    use crate::settings::{CommandLine, NoCommand, Settings, Suite};

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text.as_bytes(), "ratchet.toml").map_err(|error| error.to_string())
    }

    /// A suite with these lines more; they begin at line 3.
    fn suite(lines: &str) -> Result<Suite, String> {
        parse(&format!("[[suite]]\nname = \"s\"\n{lines}\n")).map(|mut settings| settings.suites.remove(0))
    }

    fn name(text: &str) -> BenchmarkName {
        BenchmarkName::new(text).unwrap()
    }

    #[test]
    fn the_file_for_results_is_filled_in_and_quoted_for_a_shell() {
        let argv = suite("command = [\"pytest\", \"--benchmark-json={results}\"]").unwrap();
        assert!(argv.wants_file());
        assert_eq!(argv.command("/a b"), CommandLine::Argv(vec!["pytest".to_owned(), "--benchmark-json=/a b".to_owned()]));
        let shell = suite("command = \"./bench --json {results} {{x}}\"").unwrap();
        assert_eq!(shell.command("/a b"), CommandLine::Shell("./bench --json '/a b' {x}".to_owned()));
        assert!(!suite("command = \"cargo bench\"\nresults = \"target/criterion\"").unwrap().wants_file());
    }

    #[test]
    fn one_benchmark_is_asked_for_by_name_and_parameters() {
        let suite = suite("command = \"./b\"\none = [\"./b\", \"-b\", \"{benchmark}\", \"-a\", \"N={N}\"]").unwrap();
        let config = |text: &str| text.parse::<Config>().unwrap();
        let CommandLine::Argv(words) = suite.command_for(&name("sum $(x)"), &config("N=8"), "").unwrap() else { panic!() };
        assert_eq!(words, ["./b", "-b", "sum $(x)", "-a", "N=8"]);
        let none = suite.command_for(&name("sum"), &config("M=8"), "").unwrap_err();
        assert_eq!(none, NoCommand::NoParameter("N".to_owned()));
        let option = suite.command_for(&name("--help"), &config("N=8"), "").unwrap_err();
        assert_eq!(option, NoCommand::LooksLikeOption("--help".to_owned()));
    }

    /// Each character that a dialect gives a meaning to, and none that another refuses to see escaped.
    #[test]
    fn a_name_may_be_asked_for_as_a_regular_expression() {
        let suite = suite("command = \"./b\"\none = [\"./b\", \"--filter=^{benchmark:regex}$\"]").unwrap();
        for plain in ["parse<int*>(a+b)/[8]|x? {1} ^$ \\d a.b", "parse/small-1_#&~ü"] {
            let CommandLine::Argv(words) = suite.command_for(&name(plain), &Config::empty(), "").unwrap() else { panic!() };
            let regex = regex::Regex::new(words[1].strip_prefix("--filter=").unwrap()).unwrap();
            assert!(regex.is_match(plain) && !regex.is_match("parse<intt>aab/8"), "{regex}");
        }
        let CommandLine::Argv(words) = suite.command_for(&name("a[b]{c}"), &Config::empty(), "").unwrap() else { panic!() };
        assert_eq!(words[1], r"--filter=^a\[b]\{c}$");
    }

    #[test]
    fn globs_say_whose_a_benchmark_is_and_a_table_of_its_own_wins() {
        let settings = parse(
            "[[benchmark]]\nname = \"parse/own\"\ncommand = \"true\"\n\
             [[suite]]\nname = \"a\"\ncommand = \"a\"\nbenchmarks = [\"parse/*\"]\nthresholds = { regression = 7 }\n\
             [[suite]]\nname = \"b\"\ncommand = \"b\"\nbenchmarks = [\"render\", \"parse/*\"]\n",
        )
        .unwrap();
        let whose = |text: &str| settings.suite_of(&name(text)).map(|suite| suite.name.as_str());
        assert_eq!([whose("parse/x/y"), whose("render"), whose("parse/own"), whose("other")], [Some("a"), Some("b"), None, None]);
        let threshold =
            |text: &str| settings.thresholds_for(&name(text), &MetricName::new("time").unwrap(), false).regression_percent;
        assert_eq!((threshold("parse/x"), threshold("render")), (Some(7.0), None));
    }

    #[test]
    fn every_error_has_its_place() {
        for (lines, place, said) in [
            ("", "ratchet.toml:1:1", "missing field `command`"),
            ("command = \" \"", "ratchet.toml:3:11", "this command is empty"),
            ("command = \"b {N}\"", "ratchet.toml:3:11", "unknown placeholder `{N}`"),
            ("command = \"b\"\nbuild = \"b {results}\"", "ratchet.toml:4:9", "unknown placeholder `{results}`"),
            ("command = \"b {results}\"\nresults = \"x\"", "ratchet.toml:4:11", "says it twice"),
            ("command = \"b\"\nresults = \"../x\"", "ratchet.toml:4:11", "is not inside the working folder"),
            ("command = \"b\"\none = [\"b\"]", "ratchet.toml:4:7", "{benchmark} is missing"),
            ("command = \"b\"\none = [\"{benchmark}\"]", "ratchet.toml:4:7", "begins with no program"),
            ("command = \"b\"\none = \"b {benchmark}\"", "ratchet.toml:4:7", "write a list: [\"b\", \"{benchmark}\"]"),
            ("command = \"b\"\none = [\"b\", \"{benchmark}\", \"{results}\"]", "ratchet.toml:4:7", "in different places"),
            ("command = \"b\"\nbenchmarks = []", "ratchet.toml:4:14", "`benchmarks` is empty"),
            ("command = \"b\"\nbenchmarks = [\"a{\"]", "ratchet.toml:4:14", "a{"),
            ("command = \"b\"\nmatrix = { N = [1] }", "ratchet.toml:4:1", "unknown field `matrix`"),
            ("command = \"b\"\n[[suite]]\nname = \"t\"\ncommand = \"b\"", "ratchet.toml:2:8", "which benchmarks are its own"),
            ("command = \"b\"\n[[benchmark]]\nname = \"s\"\ncommand = \"b\"", "ratchet.toml:2:8", "another benchmark or suite"),
        ] {
            let error = suite(lines).unwrap_err();
            assert!(error.starts_with(place) && error.contains(said), "{lines}\n{error}");
        }
    }
}
