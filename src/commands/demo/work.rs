//! The program that the demo measures: a blocked matrix product whose tile size stands in a committed file.
//!
//! It is a real workload: the tile decides how often each number is fetched from memory and how long the inner loops
//! run, so that changing one number in the file makes the program several times faster or slower.

use std::fmt;
use std::io::{self, Write};

/// What the committed file says: the edge of the matrices and of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    size: usize,
    tile: usize,
}

/// Why a plan file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct BadPlan(String);

impl fmt::Display for BadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan needs the lines `size = N` and `tile = N` with 1 ≤ tile ≤ size ≤ 2048: {}", self.0)
    }
}

impl Plan {
    /// Reads `size = N` and `tile = N`; lines starting with `#` are comments.
    pub fn parse(text: &str) -> Result<Self, BadPlan> {
        let number = |name: &str| -> Result<usize, BadPlan> {
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            let value = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == name);
            let (_, value) = value.ok_or_else(|| BadPlan(format!("`{name}` is missing")))?;
            value.trim().parse().map_err(|_| BadPlan(format!("`{name}` is not a number")))
        };
        let plan = Self { size: number("size")?, tile: number("tile")? };
        if plan.tile == 0 || plan.tile > plan.size || plan.size > 2048 {
            return Err(BadPlan(format!("size {} with tile {}", plan.size, plan.tile)));
        }
        Ok(plan)
    }
}

/// Multiplies and prints a checksum, so that the work cannot be left out.
pub fn run(plan: Plan, out: &mut dyn Write) -> io::Result<()> {
    let a = matrix(plan.size, 1);
    let b = matrix(plan.size, 2);
    let c = multiply(plan, &a, &b);
    let checksum: f64 = c.iter().map(|value| f64::from(*value)).sum();
    writeln!(out, "checksum {checksum:.3}")
}

/// A `size` x `size` matrix, row by row, of small numbers that depend on `seed`.
fn matrix(size: usize, seed: usize) -> Vec<f32> {
    (0..size * size).map(|i| ((i * 31 + seed * 17) % 13) as f32 / 13.0).collect()
}

/// `a · b`, block by block; all three are square and stored row by row.
fn multiply(Plan { size, tile }: Plan, a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut c = vec![0.0; size * size];
    let blocks = || (0..size).step_by(tile).map(|start| start..(start + tile).min(size));
    for rows in blocks() {
        for inner in blocks() {
            for columns in blocks() {
                for i in rows.clone() {
                    for k in inner.clone() {
                        let factor = a[i * size + k];
                        let source = &b[k * size + columns.start..k * size + columns.end];
                        let target = &mut c[i * size + columns.start..i * size + columns.end];
                        target.iter_mut().zip(source).for_each(|(sum, value)| *sum += factor * value);
                    }
                }
            }
        }
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_gives_the_product() {
        let size = 13;
        let (a, b) = (matrix(size, 1), matrix(size, 2));
        let plain = |i: usize, j: usize| (0..size).map(|k| a[i * size + k] * b[k * size + j]).sum::<f32>();
        for tile in [1, 4, 5, 13] {
            let c = multiply(Plan { size, tile }, &a, &b);
            for i in 0..size {
                for j in 0..size {
                    assert!((c[i * size + j] - plain(i, j)).abs() < 1e-3, "tile {tile} at {i},{j}");
                }
            }
        }
    }

    #[test]
    fn a_plan_says_what_is_wrong_with_it() {
        assert_eq!(Plan::parse("# x\nsize = 8\ntile = 2\n"), Ok(Plan { size: 8, tile: 2 }));
        for (text, part) in
            [("size = 8", "tile"), ("size = 8\ntile = x", "tile"), ("size = 8\ntile = 0", "tile 0"), ("size=4\ntile=9", "tile 9")]
        {
            assert!(Plan::parse(text).unwrap_err().to_string().contains(part), "{text}");
        }
    }
}
