//! Matrices: the points of a kernel, and the choices of its tunables.

use std::collections::HashSet;

use super::error::Problem;
use super::raw::RawManifest;
use super::rules::Kernel;
use super::{PlanRequest, Tunable};
use crate::model::Config;
use crate::written::{Ordered, Scalar, Scalars};

/// Most points of one kernel.
const MAX_POINTS: usize = 10_000;
/// Most parameters of one point.
const MAX_PARAMETERS: usize = 64;
/// The parameter that a config's name becomes.
const NAME: &str = "config";

/// The points of a manifest; a single empty config where it names none.
pub(super) fn points(raw: &RawManifest) -> Result<Vec<Config>, Problem> {
    let mut points = product(&raw.matrix)?;
    for (place, config) in raw.config.iter().enumerate() {
        points.push(by_hand(config).map_err(|message| Problem::key(format!("config[{place}]"), message))?);
    }
    if points.len() > MAX_POINTS {
        return Err(Problem::key("config", format!("there are {} points; at most {MAX_POINTS} are run", points.len())));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = points.iter().find(|point| !seen.insert(*point)) {
        return Err(Problem::key("config", format!("the point `{twice}` is there twice")).hint("remove one of them"));
    }
    Ok(if points.is_empty() { vec![Config::empty()] } else { points })
}

fn by_hand(config: &Ordered<Scalar>) -> Result<Config, String> {
    if config.0.len() > MAX_PARAMETERS {
        return Err(format!("a point has at most {MAX_PARAMETERS} parameters"));
    }
    let is_name = |(key, _): &&(String, Scalar)| key == "name";
    let name = config.0.iter().find(is_name).map(|(_, value)| (NAME.to_owned(), value.to_text()));
    let rest = config.0.iter().filter(|entry| !is_name(entry)).map(|(key, value)| (key.clone(), value.to_text()));
    Config::new(name.into_iter().chain(rest)).map_err(|error| error.to_string())
}

fn product(matrix: &Ordered<Scalars>) -> Result<Vec<Config>, Problem> {
    let problem = |message: String| Problem::key("matrix", message);
    if matrix.0.is_empty() {
        return Ok(Vec::new());
    }
    if matrix.0.len() > MAX_PARAMETERS {
        return Err(problem(format!("a point has at most {MAX_PARAMETERS} parameters")));
    }
    if let Some((name, _)) = matrix.0.iter().find(|(_, values)| values.as_slice().is_empty()) {
        return Err(Problem::key(format!("matrix.{name}"), "there are no values").hint("give at least one, or leave it out"));
    }
    let sizes: Vec<usize> = matrix.0.iter().map(|(_, values)| values.as_slice().len()).collect();
    let count = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size)).filter(|count| *count <= MAX_POINTS);
    let count = count.ok_or_else(|| {
        problem(format!("the matrix has more than {MAX_POINTS} points")).hint("list the points that matter as [[config]]")
    })?;
    let point = |index: usize| {
        let chosen = matrix.0.iter().zip(places(index as u128, &sizes));
        Config::new(chosen.map(|((name, values), place)| (name.clone(), values.as_slice()[place].to_text())))
            .map_err(|error| problem(error.to_string()))
    };
    (0..count).map(point).collect()
}

/// Where the `index`-th combination stands in each of its lists: the last one changes fastest.
fn places(index: u128, sizes: &[usize]) -> Vec<usize> {
    let mut rest = index;
    let mut places: Vec<usize> = sizes
        .iter()
        .rev()
        .map(|size| {
            let place = (rest % *size as u128) as usize;
            rest /= *size as u128;
            place
        })
        .collect();
    places.reverse();
    places
}

/// Every choice of tunables that satisfies the constraints at one point.
pub(super) fn combinations<'a>(kernel: &'a Kernel, request: PlanRequest<'a>) -> impl Iterator<Item = Config> + 'a {
    let tunables = &kernel.tunables;
    let sizes: Vec<usize> = tunables.iter().map(|tunable| tunable.values.len()).collect();
    let count = sizes.iter().fold(1_u128, |product, size| product.saturating_mul(*size as u128));
    let choice = move |index| {
        let chosen = tunables.iter().zip(places(index, &sizes));
        Config::new(chosen.map(|(tunable, place): (&Tunable, usize)| (tunable.name.clone(), tunable.values[place].clone()))).ok()
    };
    (0..count)
        .filter_map(choice)
        .filter(move |tunables| kernel.satisfies(&PlanRequest { tunables, ..request }).is_ok_and(|holds| holds))
}
