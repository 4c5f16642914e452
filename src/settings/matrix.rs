//! The points of a benchmark: a cartesian product, or a list.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::error::Problem;
use super::raw::RawBenchmark;
use crate::model::Config;
use crate::written::{Ordered, Scalar, Scalars};

/// The most points that a settings file may describe, all benchmarks together.
pub const MAX_POINTS: usize = 10_000;

/// The most parameters of one point.
const MAX_PARAMETERS: usize = 64;

/// The most text that the parameters of one benchmark's points may have, in bytes.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// The points of `benchmark`, at most `left` of them; one empty config where it has no parameters.
pub(super) fn points(benchmark: &RawBenchmark, left: usize) -> Result<Vec<Config>, Problem> {
    match &benchmark.matrix {
        Some(matrix) if !benchmark.config.is_empty() => {
            Err(Problem::at(matrix.span(), "a benchmark has either `matrix` or `config`, not both")
                .hint("write every point as [[benchmark.config]]"))
        }
        Some(matrix) => product(matrix, left),
        None if benchmark.config.is_empty() => Ok(vec![Config::empty()]),
        None => list(&benchmark.config, left),
    }
}

fn product(matrix: &Spanned<Ordered<Spanned<Scalars>>>, left: usize) -> Result<Vec<Config>, Problem> {
    let parameters = &matrix.as_ref().0;
    check_size(matrix, left)?;
    let count = parameters.iter().map(|(_, values)| values.as_ref().as_slice().len()).product();
    let config = |index: usize| {
        let mut rest = index;
        let mut chosen: Vec<(String, String)> = Vec::new();
        // The last parameter changes fastest, so the index is taken apart from the end.
        for (name, values) in parameters.iter().rev() {
            let values = values.as_ref().as_slice();
            chosen.push((name.clone(), values[rest % values.len()].to_text()));
            rest /= values.len();
        }
        chosen.reverse();
        Config::new(chosen).map_err(|error| Problem::at(matrix.span(), error.to_string()))
    };
    let configs = (0..count).map(config).collect::<Result<Vec<_>, _>>()?;
    refuse_duplicates(configs.iter().map(|config| (config, matrix.span())))?;
    Ok(configs)
}

/// Refuses a matrix before any of its points is made.
fn check_size(matrix: &Spanned<Ordered<Spanned<Scalars>>>, left: usize) -> Result<(), Problem> {
    let parameters = &matrix.as_ref().0;
    check_parameters(parameters.len(), matrix.span())?;
    let mut points = 1_usize;
    let mut bytes_per_point = 0_usize;
    for (name, values) in parameters {
        let texts = values.as_ref().as_slice();
        if texts.is_empty() {
            return Err(Problem::at(values.span(), format!("the parameter `{name}` has no values"))
                .hint("give at least one, or leave it out"));
        }
        points = points.saturating_mul(texts.len());
        bytes_per_point += name.len() + texts.iter().map(|value| value.to_text().len()).max().unwrap_or(0);
    }
    if points > left {
        let message = format!("this matrix has {points} points; all benchmarks together may have {MAX_POINTS}");
        return Err(Problem::at(matrix.span(), message).hint("list the points that matter as [[benchmark.config]]"));
    }
    if points.saturating_mul(bytes_per_point) > MAX_TEXT_BYTES {
        return Err(Problem::at(matrix.span(), "the parameters of this matrix are too long").hint("shorten their values"));
    }
    Ok(())
}

fn list(configs: &[Spanned<Ordered<Scalar>>], left: usize) -> Result<Vec<Config>, Problem> {
    let mut points = Vec::new();
    for raw in configs {
        check_parameters(raw.as_ref().0.len(), raw.span())?;
        if points.len() == left {
            return Err(Problem::at(raw.span(), format!("all benchmarks together may have {MAX_POINTS} points")));
        }
        let parameters = raw.as_ref().0.iter().map(|(name, value)| (name.clone(), value.to_text()));
        points.push(Config::new(parameters).map_err(|error| Problem::at(raw.span(), error.to_string()))?);
    }
    refuse_duplicates(points.iter().zip(configs.iter().map(Spanned::span)))?;
    Ok(points)
}

fn check_parameters(count: usize, span: Range<usize>) -> Result<(), Problem> {
    if count > MAX_PARAMETERS {
        return Err(Problem::at(span, format!("a point may have at most {MAX_PARAMETERS} parameters, this one has {count}")));
    }
    Ok(())
}

fn refuse_duplicates<'a>(points: impl Iterator<Item = (&'a Config, Range<usize>)>) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for (config, span) in points {
        if !seen.insert(config) {
            return Err(Problem::at(span, format!("the point `{config}` is there twice")).hint("remove one of them"));
        }
    }
    Ok(())
}
