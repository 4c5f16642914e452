//! `record`: keep results that something else measured.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::context::Context;
use super::error::CommandError;
use super::recording::{self, RunFacts};
use super::workspace::Workspace;
use crate::cli::RecordArgs;
use crate::exit::Exit;
use crate::import::{self, Format, ImportError, ImportOptions, Imported};
use crate::model::{BenchmarkName, Config, Direction, Measurement, Metric, MetricName, ObjectId, Quantity};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::number::count;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, records_json, show_text};
use crate::stats;

/// Runs the command.
pub fn run(arguments: &RecordArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let given = read(arguments, context)?;
    let workspace = Workspace::open(context)?;
    let target = Target::find(arguments, &workspace)?;
    warn(&given, &target, context)?;
    let mut entries = Vec::new();
    for source in &given {
        let facts = facts(source, arguments, &target, &workspace, context)?;
        if arguments.dry_run {
            // Nobody has to be the author of what is not written.
            recording::refuse_repetitions(&source.measurements)?;
        } else {
            entries.extend(recording::entries(&workspace.store, facts, source.measurements.clone(), context)?);
        }
    }
    let records = given.iter().map(|source| source.measurements.len()).sum();
    if !arguments.dry_run && records > 0 {
        recording::write(&workspace.store, target.commit, entries)?;
    }
    show(arguments, &given, (records, target.commit), context)?;
    Ok(Exit::Holds)
}

/// The measurements of one file, or of the command line.
struct Source {
    name: String,
    measurements: Vec<Measurement>,
    warnings: Vec<String>,
    tool: Option<String>,
    testbed: Option<String>,
    facts: BTreeMap<String, String>,
    time: Option<chrono::DateTime<chrono::Utc>>,
}

/// Everything is read and checked before anything is written: a bad third file leaves no trace of the first two.
fn read(arguments: &RecordArgs, context: &Context) -> Result<Vec<Source>, CommandError> {
    let better = arguments.better.as_deref().map(str::parse::<Direction>).transpose().map_err(CommandError::usage)?;
    if !arguments.metrics.is_empty() {
        return Ok(vec![from_command_line(arguments, better)?]);
    }
    let format = arguments.format.as_deref().map(str::parse::<Format>).transpose().map_err(CommandError::usage)?;
    let benchmark = arguments.benchmark.clone().map(BenchmarkName::new).transpose()?;
    let options = ImportOptions { format, better, benchmark, ..ImportOptions::default() };
    arguments.files.iter().map(|file| from_file(file, &options, context)).collect()
}

fn from_file(file: &Path, options: &ImportOptions, context: &Context) -> Result<Source, CommandError> {
    let (name, imported) = if file == Path::new("-") {
        ("standard input".to_owned(), import::import_reader(&mut std::io::stdin().lock() as &mut dyn Read, options))
    } else {
        (file.display().to_string(), import::import_path(&context.path(file), options))
    };
    let Imported { measurements, warnings, tool, testbed, time, facts, .. } =
        imported.map_err(|error| import_error(&name, &error))?;
    if measurements.is_empty() {
        return Err(CommandError::usage(format!("{name} holds no results")));
    }
    let warnings = warnings.iter().map(|warning| format!("{name}: {warning}")).collect();
    Ok(Source { name, measurements, warnings, tool, testbed, facts, time })
}

/// A file that cannot be read is a failure; one that does not hold what it should is a usage error.
fn import_error(name: &str, error: &ImportError) -> CommandError {
    let message = error.about(name);
    match error {
        ImportError::Read { .. } => CommandError::failure(message),
        _ => CommandError::usage(message),
    }
}

fn from_command_line(arguments: &RecordArgs, better: Option<Direction>) -> Result<Source, CommandError> {
    let benchmark = BenchmarkName::new(arguments.benchmark.clone().unwrap_or_default())?;
    let config: Config = arguments.config.parse()?;
    let mut samples: Vec<(MetricName, Vec<Quantity>)> = Vec::new();
    for given in &arguments.metrics {
        let (name, values) = parse_metric(given)?;
        match samples.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sample)) => sample.extend(values),
            None => samples.push((name, values)),
        }
    }
    let measurements = samples.into_iter().map(|(name, sample)| {
        let metric = metric(name, &sample, better, arguments.exact)?;
        let values: Vec<f64> = sample.iter().map(|quantity| quantity.value).collect();
        let summary = stats::summarize_measured(&values).ok_or_else(|| CommandError::usage("a metric needs a value"))?;
        summary.check(&metric.unit)?;
        Ok(Measurement {
            benchmark: benchmark.clone(),
            config: config.clone(),
            metric,
            summary,
            values,
            warnings: Vec::new(),
            barred: None,
            machine_code: None,
        })
    });
    Ok(Source {
        name: "command line".to_owned(),
        measurements: measurements.collect::<Result<_, CommandError>>()?,
        warnings: Vec::new(),
        tool: None,
        testbed: None,
        facts: BTreeMap::new(),
        time: None,
    })
}

/// `time=12.3ms` or `time=12.3ms,12.4ms`.
fn parse_metric(text: &str) -> Result<(MetricName, Vec<Quantity>), CommandError> {
    let (name, values) = text.split_once('=').ok_or_else(|| {
        CommandError::usage(format!("--metric {text} is not of the form NAME=VALUE"))
            .with_hint("it looks like --metric time=12.3ms")
    })?;
    let values = values
        .split(',')
        .map(|value| value.parse::<Quantity>().map_err(|error| CommandError::usage(format!("--metric {name}: {error}"))));
    Ok((MetricName::new(name)?, values.collect::<Result<_, _>>()?))
}

fn metric(name: MetricName, sample: &[Quantity], better: Option<Direction>, exact: bool) -> Result<Metric, CommandError> {
    let unit = sample
        .first()
        .map(|quantity| quantity.unit.clone())
        .ok_or_else(|| CommandError::usage(format!("--metric {name} has no value")))?;
    if let Some(other) = sample.iter().find(|quantity| quantity.unit != unit) {
        return Err(CommandError::usage(format!("--metric {name} is given both in {unit} and in {}", other.unit))
            .with_hint("a comma separates samples, each with its unit: 1.5ms,1.6ms; decimals follow a point"));
    }
    let inferred = Metric::infer(name.clone(), unit.clone());
    match (better, inferred) {
        (Some(better), _) => Ok(Metric { name, unit, better, exact, follows: None }),
        (None, Some(metric)) => Ok(Metric { exact, ..metric }),
        (None, None) => {
            Err(CommandError::usage(format!("whether more or less of `{name}` is better cannot be told from its name or unit"))
                .with_hint("add --better lower or --better higher"))
        }
    }
}

/// Which commit the results belong to.
struct Target {
    commit: ObjectId,
    dirty: bool,
}

impl Target {
    /// A commit that is named is taken as it is; for HEAD the work tree is looked at, since that is what was measured.
    fn find(arguments: &RecordArgs, workspace: &Workspace) -> Result<Self, CommandError> {
        let commit = workspace.store.resolve(&arguments.commit)?;
        let dirty = arguments.dirty || (arguments.commit == "HEAD" && workspace.store.is_dirty()?);
        Ok(Self { commit, dirty })
    }
}

fn facts(
    source: &Source,
    arguments: &RecordArgs,
    target: &Target,
    workspace: &Workspace,
    context: &Context,
) -> Result<RunFacts, CommandError> {
    let named = arguments.testbed.as_ref().or(source.testbed.as_ref());
    let testbed = recording::testbed_of(named, &source.facts, workspace.settings.testbed.as_deref())?;
    Ok(RunFacts {
        commit: target.commit,
        dirty: target.dirty,
        testbed,
        tool: source.tool.clone().unwrap_or_else(recording::own_name),
        time: source.time.unwrap_or_else(|| (context.clock)()),
    })
}

fn warn(given: &[Source], target: &Target, context: &mut Context) -> Result<(), CommandError> {
    for warning in given.iter().flat_map(|source| &source.warnings) {
        write_notice(context.err, &Notice::new("import", warning), context.terminal.color)?;
    }
    if target.dirty {
        let notice =
            Notice::new("dirty", "tracked files differ from HEAD: the results are marked dirty and are never a baseline")
                .hint("commit before measuring, or name the measured commit with --commit");
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    Ok(())
}

fn show(
    arguments: &RecordArgs,
    given: &[Source],
    (records, commit): (usize, ObjectId),
    context: &mut Context,
) -> Result<(), CommandError> {
    if arguments.json {
        let results = given.iter().flat_map(|source| source.measurements.iter().map(records_json::measurement));
        let object = serde_json::json!({
            "version": 1,
            "commit": commit.to_string(),
            "recorded": if arguments.dry_run { 0 } else { records },
            "results": results.collect::<Vec<_>>(),
        });
        writeln!(context.out, "{object}")?;
        return Ok(());
    }
    if arguments.dry_run {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
        for source in given {
            show_text::measurements(context.out, &source.measurements, options)?;
        }
        writeln!(context.out, "would record {} on {}", count(records, "result"), commit.short(SHORT_ID))?;
        return Ok(());
    }
    let from = match given {
        [only] if only.name != "command line" => format!(" from {}", crate::report::escape::terminal(&only.name)),
        _ => String::new(),
    };
    writeln!(context.out, "recorded {}{from} on {}", count(records, "result"), commit.short(SHORT_ID))?;
    Ok(())
}
