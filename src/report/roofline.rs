//! `roofline` for people and programs: roofs, kernels, and how far below its roof each is.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::check_text::TextOptions;
use super::escape;
use super::number::significant;
use super::overview::point_name;
use super::series_json::config;
use super::table::{Table, Tone, paint};
use super::words::{SHORT_ID, trust_mark};
use crate::model::{ObjectId, Unit};
use crate::roofline::{Bound, Gpu, Kernel, Limit, Precision, Roof, RoofSource, Roofs, Standing};

/// A kernel and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownKernel {
    /// The kernel.
    pub kernel: Kernel,
    /// Where it stands; `None` where no roof of its kind is known.
    pub standing: Option<Standing>,
}

impl ShownKernel {
    /// Benchmark, config, and where the work is known from.
    pub fn name(&self) -> String {
        let name = point_name(self.kernel.benchmark.as_str(), &self.kernel.config);
        format!("{name}, {}", self.kernel.work.as_str())
    }
}

/// The roofline of one testbed.
#[derive(Debug, Clone, PartialEq)]
pub struct TestbedRoofline {
    /// The testbed's key.
    pub testbed: String,
    /// The chip, where its datasheet is known.
    pub gpu: Option<&'static Gpu>,
    /// Its limits.
    pub roofs: Roofs,
    /// Its kernels.
    pub kernels: Vec<ShownKernel>,
}

impl TestbedRoofline {
    /// Puts kernels under roofs.
    pub fn new(testbed: String, gpu: Option<&'static Gpu>, roofs: Roofs, kernels: Vec<Kernel>) -> Self {
        let stand = |kernel: Kernel| ShownKernel { standing: kernel.standing(&roofs), kernel };
        let kernels = kernels.into_iter().map(stand).collect();
        Self { testbed, gpu, kernels, roofs }
    }

    /// The testbed's key, with the chip behind it where the key does not name it fully.
    pub fn title(&self) -> String {
        match self.gpu.filter(|gpu| !self.testbed.contains(gpu.name)) {
            Some(gpu) => format!("{} ({})", self.testbed, gpu.name),
            None => self.testbed.clone(),
        }
    }

    /// The roofs that matter to its kernels: memory, and the precisions that they compute in. All of them where there
    /// are no kernels.
    pub fn drawn_roofs(&self) -> Vec<&Roof> {
        let used: Vec<Precision> = self.kernels.iter().filter_map(|shown| self.precision(&shown.kernel)).collect();
        let matters = |roof: &&Roof| match roof.limit {
            Limit::Memory => true,
            Limit::Compute(precision) => used.is_empty() || used.contains(&precision),
        };
        self.roofs.all().into_iter().filter(matters).collect()
    }

    /// The precision that a kernel is held against.
    fn precision(&self, kernel: &Kernel) -> Option<Precision> {
        kernel.flop_rate?;
        kernel.precision.or_else(|| self.roofs.highest_compute().map(|(precision, _)| precision))
    }
}

/// `memory`, `f16`.
pub fn limit_name(limit: Limit) -> &'static str {
    match limit {
        Limit::Memory => "memory",
        Limit::Compute(precision) => precision.as_str(),
    }
}

/// `memory`, `f16`.
pub fn bound_word(bound: Bound) -> &'static str {
    match bound {
        Bound::Memory => "memory",
        Bound::Compute(precision) => precision.as_str(),
    }
}

/// A rate with three digits: `51.3 TFLOP/s`.
pub fn rate(value: f64, unit: &Unit) -> String {
    let (divisor, suffix) = unit.scaled_for(value);
    format!("{} {suffix}", significant(value / divisor, 3))
}

/// Where a roof is known from, in words.
pub fn source_words(source: &RoofSource) -> String {
    match source {
        RoofSource::Datasheet(gpu) => gpu.source.to_owned(),
        RoofSource::Measured { benchmark, config, commit } => {
            format!("{} at {}", point_name(benchmark.as_str(), config), commit.short(SHORT_ID))
        }
        RoofSource::Given => "given".to_owned(),
    }
}

fn unit_of(limit: Limit) -> Unit {
    if limit == Limit::Memory { Unit::BYTE_PER_SECOND } else { Unit::FLOP_PER_SECOND }
}

/// Writes the roofs and the kernels of each testbed.
pub fn text(out: &mut dyn Write, shown: &[TestbedRoofline], options: TextOptions) -> io::Result<()> {
    for (at, testbed) in shown.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let title = escape::terminal(&testbed.title()).into_owned();
        writeln!(out, "{}", paint(&title, Tone::Strong, options.color))?;
        out.write_all(roofs_table(testbed, options).as_bytes())?;
        if !testbed.kernels.is_empty() {
            writeln!(out)?;
            out.write_all(kernels_table(testbed, options).as_bytes())?;
        }
        for note in notes(testbed) {
            writeln!(out, "{note}")?;
        }
    }
    Ok(())
}

/// What is said of each kernel.
pub(super) const KERNEL_COLUMNS: [&str; 9] =
    ["", "kernel", "work", "FLOP/B", "reached", "held by", "allowed", "of it", "head room"];

/// Which of the columns are numbers.
pub(super) const NUMBER_COLUMNS: [usize; 6] = [0, 3, 4, 6, 7, 8];

fn roofs_table(testbed: &TestbedRoofline, options: TextOptions) -> String {
    let mut table = Table::new(&["roof", "rate", "ridge", "source", ""], options.color).right_align(&[1, 2]);
    for roof in testbed.drawn_roofs() {
        let binds = testbed.roofs.is_binding(roof);
        let ridge = match roof.limit {
            Limit::Compute(precision) if binds => testbed.roofs.ridge(precision),
            _ => None,
        };
        table.row(vec![
            limit_name(roof.limit).to_owned(),
            rate(roof.rate, &unit_of(roof.limit)),
            ridge.map_or(String::new(), |ridge| format!("{} FLOP/B", significant(ridge, 3))),
            escape::terminal_short(&source_words(&roof.source), 60),
            if binds { "binds".to_owned() } else { String::new() },
        ]);
    }
    table.render(options.width)
}

fn kernels_table(testbed: &TestbedRoofline, options: TextOptions) -> String {
    let mut table = Table::new(&KERNEL_COLUMNS, options.color).right_align(&NUMBER_COLUMNS);
    for (at, shown) in testbed.kernels.iter().enumerate() {
        table.row(kernel_row(at + 1, shown).map(|cell| escape::terminal_short(&cell, 50)).into());
    }
    table.render(options.width)
}

/// A kernel in words and numbers under [`KERNEL_COLUMNS`], not escaped.
pub(super) fn kernel_row(number: usize, shown: &ShownKernel) -> [String; 9] {
    let kernel = &shown.kernel;
    let (reached, unit) = match kernel.flop_rate {
        Some(flop) => (flop, Unit::FLOP_PER_SECOND),
        None => (kernel.byte_rate.unwrap_or_default(), Unit::BYTE_PER_SECOND),
    };
    let standing = shown.standing;
    let of = |cell: &dyn Fn(Standing) -> String| standing.map_or("–".to_owned(), cell);
    [
        number.to_string(),
        point_name(kernel.benchmark.as_str(), &kernel.config),
        kernel.work.as_str().to_owned(),
        kernel.intensity().map_or("–".to_owned(), |intensity| significant(intensity, 3)),
        rate(reached, &unit) + trust_mark(kernel.is_trusted),
        of(&|standing| bound_word(standing.bound).to_owned()),
        of(&|standing| rate(standing.attainable, &unit)),
        of(&|standing| format!("{} %", significant(standing.percent(), 3))),
        of(&|standing| format!("{}x", significant(standing.head_room(), 3))),
    ]
}

/// What the numbers do not say by themselves.
pub(super) fn notes(testbed: &TestbedRoofline) -> Vec<String> {
    let of_kernel = |(at, shown): (usize, &ShownKernel)| {
        let untrusted = "nobody who may sign vouches for what was measured of it (git ratchet doctor says who may)";
        let trust = (!shown.kernel.is_trusted).then(|| untrusted.to_owned());
        [doubt(testbed, shown), trust].into_iter().flatten().map(move |words| format!("{}: {words}", at + 1))
    };
    testbed.kernels.iter().enumerate().flat_map(of_kernel).collect()
}

/// Why a kernel's place under its roofs is not sure.
fn doubt(testbed: &TestbedRoofline, shown: &ShownKernel) -> Option<String> {
    let Some(standing) = shown.standing else {
        return Some("no roof of its kind is known; see --bandwidth, --peak and --gpu".to_owned());
    };
    if standing.percent() > 100.0 {
        return Some("beyond its roof: its declared work, its precision or the roof is wrong".to_owned());
    }
    if !standing.is_certain {
        return Some("only one of its two roofs is known, or only half of its work".to_owned());
    }
    if shown.kernel.precision.is_some() {
        return None;
    }
    let precision = testbed.precision(&shown.kernel)?;
    Some(format!("its precision is not known (a parameter `dtype` would say it): held against {precision}"))
}

/// `roofline --json`.
pub fn json(commit: ObjectId, shown: &[TestbedRoofline]) -> Value {
    json!({
        "version": 1,
        "commit": commit.to_string(),
        "testbeds": shown.iter().map(testbed_json).collect::<Vec<_>>(),
    })
}

fn testbed_json(testbed: &TestbedRoofline) -> Value {
    let roof = |roof: &&Roof| {
        json!({
            "limit": limit_name(roof.limit),
            "rate": roof.rate,
            "unit": unit_of(roof.limit).symbol(),
            "source": roof.source.as_str(),
            "detail": source_words(&roof.source),
            "binds": testbed.roofs.is_binding(roof),
        })
    };
    let kernel = |shown: &ShownKernel| {
        let kernel = &shown.kernel;
        json!({
            "benchmark": kernel.benchmark.as_str(),
            "config": config(&kernel.config),
            "work": kernel.work.as_str(),
            "precision": testbed.precision(kernel).map(Precision::as_str),
            "precision_is_known": kernel.precision.is_some(),
            "flop_rate": kernel.flop_rate,
            "byte_rate": kernel.byte_rate,
            "intensity": kernel.intensity(),
            "bound": shown.standing.map(|standing| bound_word(standing.bound)),
            "attainable": shown.standing.map(|standing| standing.attainable),
            "percent": shown.standing.map(|standing| standing.percent()),
            "head_room": shown.standing.map(|standing| standing.head_room()),
            "trusted": kernel.is_trusted,
            "is_certain": shown.standing.map(|standing| standing.is_certain),
        })
    };
    json!({
        "testbed": testbed.testbed,
        "gpu": testbed.gpu.map(|gpu| gpu.name),
        "roofs": testbed.roofs.all().iter().map(roof).collect::<Vec<_>>(),
        "kernels": testbed.kernels.iter().map(kernel).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A testbed of an L4 with these kernels.
    pub(in crate::report) fn testbed(roofs: Roofs, kernels: Vec<Kernel>) -> TestbedRoofline {
        TestbedRoofline::new("NVIDIA L4".to_owned(), Gpu::of("NVIDIA L4"), roofs, kernels)
    }
}
