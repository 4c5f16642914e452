//! The valid points of a search.

use std::collections::HashMap;

use crate::model::Config;

/// A tunable and its values, in the order in which its author wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// The tunable.
    pub name: String,
    /// What it may be; neighbours are alike.
    pub values: Vec<String>,
}

/// Points on a grid, of which some are left out. Points are named by their place among the valid ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    dimensions: Vec<Dimension>,
    points: Vec<Box<[usize]>>,
    places: HashMap<Box<[usize]>, usize>,
}

impl Space {
    /// The points among `configs` that have a known value of every dimension, each once.
    pub fn new(dimensions: Vec<Dimension>, configs: impl IntoIterator<Item = Config>) -> Self {
        let mut space = Self { dimensions, points: Vec::new(), places: HashMap::new() };
        for config in configs {
            if let Some(at) = space.coordinates_of(&config)
                && !space.places.contains_key(&at)
            {
                space.places.insert(at.clone(), space.points.len());
                space.points.push(at);
            }
        }
        space
    }

    /// The tunables.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// How many valid points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many points the grid has, valid or not.
    pub fn combinations(&self) -> u128 {
        self.dimensions.iter().fold(1, |product: u128, dimension| product.saturating_mul(dimension.values.len() as u128))
    }

    /// Where a point stands on the grid: the place of each tunable's value.
    pub fn coordinates(&self, point: usize) -> &[usize] {
        self.points.get(point).map_or(&[], |at| at)
    }

    /// The valid point that stands there.
    pub fn at(&self, coordinates: &[usize]) -> Option<usize> {
        self.places.get(coordinates).copied()
    }

    /// The valid points that differ from this one in one tunable.
    pub fn around(&self, point: usize) -> Vec<usize> {
        let at = self.coordinates(point);
        let mut found = Vec::new();
        for (tunable, dimension) in self.dimensions.iter().enumerate().take(at.len()) {
            for value in (0..dimension.values.len()).filter(|value| *value != at[tunable]) {
                let mut other = at.to_vec();
                other[tunable] = value;
                found.extend(self.at(&other));
            }
        }
        found
    }

    /// The valid point with these values.
    pub fn find(&self, config: &Config) -> Option<usize> {
        self.at(&self.coordinates_of(config)?)
    }

    /// The values of a point. Empty where there is no such point.
    pub fn config(&self, point: usize) -> Config {
        let values = self.dimensions.iter().zip(self.coordinates(point));
        let named =
            values.filter_map(|(dimension, place)| Some((dimension.name.as_str(), dimension.values.get(*place)?.as_str())));
        // What stands here was a config before.
        Config::new(named).unwrap_or_default()
    }

    fn coordinates_of(&self, config: &Config) -> Option<Box<[usize]>> {
        let place = |dimension: &Dimension| {
            let value = config.get(&dimension.name)?;
            dimension.values.iter().position(|known| known == value)
        };
        self.dimensions.iter().map(place).collect()
    }
}
