//! The lowest stretch of each length, found in one pass over a series, oldest first.
//!
//! A stretch is a difference of two running sums. For every length of a fixed grid the lowest is kept, and of the sums
//! only those that stretches which are still open can begin at: the newest 32 multiples of 1, 2, 4, … So a history of any
//! length comes to a few kilobytes, and what follows is put on top without looking at it again. How many come at once
//! makes no difference to the answer, not even to its last bit.

/// So many sums are kept for each stride. No stretch is longer than this many of its strides.
const MARKS: usize = 32;

/// Sums that differ by less are equal: the difference is how they were added up.
pub(super) const ROUNDING: f64 = 1e-9;

/// The running sum after some commits, and how many runs they have.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Mark {
    sum: f64,
    runs: usize,
}

/// The lowest stretch of one length: of equal ones the newest, whose commits are the easiest to build again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    start: usize,
    from: Mark,
    to: Mark,
    /// The lowest sum there was, at most [`ROUNDING`] below that of the stretch.
    lowest: f64,
}

impl Found {
    const NONE: Self = Self { start: 0, from: Mark { sum: 0.0, runs: 0 }, to: Mark { sum: 0.0, runs: 0 }, lowest: f64::INFINITY };
}

/// A stretch of commits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// Its first commit.
    pub(super) start: usize,
    /// How many commits.
    pub(super) length: usize,
    /// Their mean.
    pub(super) mean: f64,
    /// The number of its first run.
    pub(super) first_run: usize,
    /// The number of the first run after it.
    pub(super) end_run: usize,
}

/// The lowest stretches of the commits that were taken so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lowest {
    /// How many commits.
    len: usize,
    /// The place of the first one, which sums are taken from, so that they stay small.
    origin: f64,
    end: Mark,
    /// For each exponent, the newest sums at multiples of that power of two.
    marks: Vec<[Mark; MARKS]>,
    /// For each length of the grid that has fitted.
    found: Vec<Found>,
}

impl Lowest {
    /// How many commits were taken.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many runs they have.
    pub(super) fn runs(&self) -> usize {
        self.end.runs
    }

    /// Takes the next commits: the place of each, and how many runs it has.
    pub(super) fn extend(&mut self, commits: impl IntoIterator<Item = (f64, usize)>) {
        let mut commits = commits.into_iter().peekable();
        if let (0, Some((place, _))) = (self.len, commits.peek()) {
            self.origin = *place;
        }
        let mut marks = vec![self.end];
        for (place, runs) in commits {
            self.end = Mark { sum: self.end.sum + (place - self.origin), runs: self.end.runs + runs };
            marks.push(self.end);
        }
        let new = New { first: self.len, marks };
        for (number, length) in lengths().take_while(|length| *length <= new.end()).enumerate() {
            if number == self.found.len() {
                self.found.push(Found::NONE);
            }
            self.found[number] = self.lowest_of(length, self.found[number], &new);
        }
        self.keep_marks(&new);
        self.len = new.end();
    }

    /// The lowest of the stretches that end in what is new, and of those before.
    fn lowest_of(&self, length: usize, mut found: Found, new: &New) -> Found {
        let exponent = exponent_of(length);
        let stride = 1_usize << exponent;
        let first = (new.first + 1).saturating_sub(length).next_multiple_of(stride);
        let end = new.end() + 1 - length;
        let begun = (first..new.first.min(end)).step_by(stride).map(|start| (start, self.mark(exponent, start)));
        let fresh = (first.max(new.first.next_multiple_of(stride))..end).step_by(stride).map(|start| (start, new.at(start)));
        // From the oldest on, so that the newest of equals stays.
        begun.chain(fresh).for_each(|(start, from)| {
            let to = new.at(start + length);
            let sum = to.sum - from.sum;
            if sum <= found.lowest + ROUNDING {
                found = Found { start, from, to, lowest: found.lowest.min(sum) };
            }
        });
        found
    }

    /// The sum at a multiple of a power of two. Before the first marks of a power only its multiple zero is asked for.
    fn mark(&self, exponent: usize, at: usize) -> Mark {
        self.marks.get(exponent).map_or(Mark::default(), |marks| marks[(at >> exponent) % MARKS])
    }

    fn keep_marks(&mut self, new: &New) {
        for exponent in 0..=new.end().checked_ilog2().unwrap_or(0) as usize {
            if self.marks.len() == exponent {
                self.marks.push([Mark::default(); MARKS]);
            }
            let oldest = (new.end() + 1).saturating_sub(MARKS << exponent).max(new.first + 1);
            for at in (oldest.next_multiple_of(1 << exponent)..=new.end()).step_by(1 << exponent) {
                self.marks[exponent][(at >> exponent) % MARKS] = new.at(at);
            }
        }
    }

    /// The lowest stretch of each length, and all commits as one.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Stretch> + '_ {
        let whole = Found { start: 0, from: Mark::default(), to: self.end, lowest: 0.0 };
        let longest = lengths().zip(&self.found).last().map_or(0, |(length, _)| length);
        let whole = (longest < self.len).then(|| self.stretch(self.len, &whole));
        lengths().zip(&self.found).map(|(length, found)| self.stretch(length, found)).chain(whole)
    }

    /// As numbers, for [`Lowest::from_words`].
    pub(super) fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let of_mark = |mark: &Mark| [mark.sum.to_bits(), mark.runs as u64];
        let of_found = move |found: &Found| {
            let ([from, first_run], [to, end_run]) = (of_mark(&found.from), of_mark(&found.to));
            [found.start as u64, from, first_run, to, end_run, found.lowest.to_bits()]
        };
        let head = [self.len as u64, self.origin.to_bits(), self.marks.len() as u64, self.found.len() as u64];
        let marks = self.marks.iter().flatten().flat_map(of_mark);
        head.into_iter().chain(of_mark(&self.end)).chain(marks).chain(self.found.iter().flat_map(of_found))
    }

    /// Back from numbers; `None` where they cannot be that.
    pub(super) fn from_words(words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        let (len, origin) = (number(words)?, f64::from_bits(words.next()?));
        let (of_marks, of_found) = (number(words)?, number(words)?);
        let mut lowest = Self { len, origin, end: mark(words)?, ..Self::default() };
        for _ in 0..of_marks {
            let mut marks = [Mark::default(); MARKS];
            for known in &mut marks {
                *known = mark(words)?;
            }
            lowest.marks.push(marks);
        }
        for _ in 0..of_found {
            let found =
                Found { start: number(words)?, from: mark(words)?, to: mark(words)?, lowest: f64::from_bits(words.next()?) };
            lowest.found.push(found);
        }
        Some(lowest)
    }

    fn stretch(&self, length: usize, found: &Found) -> Stretch {
        let mean = self.origin + (found.to.sum - found.from.sum) / length as f64;
        Stretch { start: found.start, length, mean, first_run: found.from.runs, end_run: found.to.runs }
    }
}

/// A count. No history has more commits or runs than 32 bits can say.
pub(super) fn number(words: &mut impl Iterator<Item = u64>) -> Option<usize> {
    u32::try_from(words.next()?).ok().map(|number| number as usize)
}

fn mark(words: &mut impl Iterator<Item = u64>) -> Option<Mark> {
    Some(Mark { sum: f64::from_bits(words.next()?), runs: number(words)? })
}

/// The running sum over commits that follow what was taken before; the first mark is where those end.
struct New {
    first: usize,
    marks: Vec<Mark>,
}

impl New {
    /// How many commits there are with these.
    fn end(&self) -> usize {
        self.first + self.marks.len() - 1
    }

    fn at(&self, place: usize) -> Mark {
        self.marks[place - self.first]
    }
}

/// The grid: every length up to 12, then each longer by a sixth. Missing the best length by a twelfth costs less than
/// 1 % of a level's deviation.
fn lengths() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(1_usize), |length| length.checked_add((length / 6).max(1)))
}

/// Stretches of up to 31 commits are looked at from every start, longer ones from every multiple of a power of two,
/// between a sixteenth and a thirty-second of their length: neighbours share most of their commits, so that no stretch
/// worth finding lies unseen between them.
fn exponent_of(length: usize) -> usize {
    (length.max(MARKS / 2).ilog2() - (MARKS / 2).ilog2()) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every stretch of a length, and the mean of the lowest.
    fn lowest_mean(places: &[f64], length: usize) -> f64 {
        places.windows(length).map(|window| window.iter().sum::<f64>() / length as f64).fold(f64::INFINITY, f64::min)
    }

    fn taken(pieces: &[&[f64]]) -> Lowest {
        let mut lowest = Lowest::default();
        pieces.iter().for_each(|piece| lowest.extend(piece.iter().map(|place| (*place, 2))));
        lowest
    }

    proptest! {
        #[test]
        fn how_many_come_at_once_makes_no_difference(places in prop::collection::vec(-1.0f64..1.0, 0..700), cuts in prop::collection::vec(0usize..700, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(places.len())).chain([0, places.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[f64]> = cuts.windows(2).map(|ends| &places[ends[0]..ends[1]]).collect();
            let (whole, in_pieces) = (taken(&[&places]), taken(&pieces));
            prop_assert_eq!(&in_pieces, &whole);
            let words: Vec<u64> = whole.words().collect();
            prop_assert_eq!(Lowest::from_words(&mut words.iter().copied()), Some(whole));
            prop_assert_eq!(Lowest::from_words(&mut words[..words.len() - 1].iter().copied()), None);
        }

        #[test]
        fn the_lowest_stretch_of_each_length_is_found(places in prop::collection::vec(-1.0f64..1.0, 1..200)) {
            let lowest = taken(&[&places]);
            prop_assert_eq!(lowest.stretches().last().unwrap().length <= places.len(), true);
            prop_assert!(lowest.stretches().any(|stretch| stretch.length == places.len()));
            for Stretch { start, length, mean, first_run, end_run } in lowest.stretches() {
                let itself = places[start..start + length].iter().sum::<f64>() / length as f64;
                prop_assert!((mean - itself).abs() < 1e-9);
                prop_assert_eq!((first_run, end_run), (2 * start, 2 * (start + length)));
                if length < MARKS {
                    prop_assert!((mean - lowest_mean(&places, length)).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn of_equal_stretches_the_newest_counts_and_a_long_one_is_hit_nearly() {
        let level: Vec<f64> = (0..2000).map(|at| if (700..1100).contains(&at) { -1.0 } else { 0.0 }).collect();
        let lowest = taken(&[&level]);
        let of = |length: usize| lowest.stretches().find(|stretch| stretch.length >= length).unwrap();
        assert_eq!((of(5).start, of(5).mean), (1095, -1.0));
        let long = of(300);
        assert!(long.start >= 700 - 16 && long.start + long.length <= 1100 + 16 && long.mean < -0.95, "{long:?}");
    }
}
