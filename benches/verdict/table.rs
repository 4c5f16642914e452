//! Tables in Markdown, the bounds in them, and the threads that fill them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use git_ratchet::stats::distribution;

/// A table under a heading.
pub struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new<'a>(title: &str, corner: &'a str, columns: impl IntoIterator<Item = &'a str>) -> Self {
        let head = std::iter::once(corner).chain(columns).map(str::to_owned).collect();
        Self { title: title.to_owned(), head, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        writeln!(f, "| {} |", self.head.join(" | "))?;
        writeln!(f, "|---{}|", "|--:".repeat(self.head.len() - 1))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// Events per 1,000 with their upper bound.
pub fn count(events: u64, trials: u64) -> String {
    let per_thousand = |share: f64| match 1000.0 * share {
        many if many >= 10.0 => format!("{many:.0}"),
        few => format!("{few:.2}"),
    };
    format!("{} ({})", per_thousand(events as f64 / trials.max(1) as f64), per_thousand(upper_bound(events, trials)))
}

/// A share in whole percent.
pub fn percent(events: u64, trials: u64) -> String {
    format!("{:.0}", 100.0 * events as f64 / trials.max(1) as f64)
}

/// The rate at which no more events than these would be seen once in twenty (Clopper and Pearson, *The use of confidence or
/// fiducial limits*, 1934), by bisection.
pub fn upper_bound(events: u64, trials: u64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let seen = distribution::binomial_cdf(events, trials, middle).unwrap_or(0.0);
        if seen > 0.05 { low = middle } else { high = middle }
    }
    high
}

/// Does `work` for 0 to `count` − 1 in so many threads. What comes back is in order, however the threads were scheduled.
pub fn parallel<T: Send>(threads: usize, count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let take = || {
        let indices = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < count));
        indices.map(|index| (index, work(index))).collect::<Vec<_>>()
    };
    let mut done: Vec<(u64, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        let joined =
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
