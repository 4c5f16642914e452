//! `bisect` for people: the move, what was measured, and the commit that made it.

use std::io::{self, Write};

use super::bisection::{Bisection, Part};
use super::check_text::TextOptions;
use super::escape::{terminal, terminal_short};
use super::explain_text::commit;
use super::table::{Table, Tone, paint};
use super::words::{self, SHORT_ID};
use crate::judge::MoveSide;

/// Writes what was found.
pub fn bisect(out: &mut dyn Write, bisection: &Bisection, options: TextOptions) -> io::Result<()> {
    writeln!(out, "{}", paint(&terminal(&headline(bisection)), Tone::Strong, options.color))?;
    writeln!(out, "  old  {}", commit(&bisection.old))?;
    writeln!(out, "  new  {}", commit(&bisection.new))?;
    writeln!(out, "  {}", between(bisection))?;
    steps(out, bisection, options)?;
    match bisection.found.as_slice() {
        [only] => {
            writeln!(out, "\n{}  {}", paint("moved by", Tone::Strong, options.color), commit(only))?;
            if let Some(own) = &bisection.of_found {
                writeln!(out, "  {} against the commit before it", words::paired_shift(own))?;
            }
        }
        several => {
            writeln!(out, "\n{}", paint("moved by one of these, which cannot all be measured", Tone::Strong, options.color))?;
            several.iter().try_for_each(|entry| writeln!(out, "  {}", commit(entry)))?;
        }
    }
    hints(bisection).iter().try_for_each(|hint| writeln!(out, "  {}", terminal(hint)))
}

/// `sort [N=1000] time moved by −5.2 % (−5.9 % to −4.6 %)`.
fn headline(bisection: &Bisection) -> String {
    let point = words::point_name(&bisection.benchmark, &bisection.config);
    format!("{point} {} moved: {}", bisection.metric.name, words::paired_shift(&bisection.whole))
}

fn between(bisection: &Bisection) -> String {
    let plural = |count: usize| if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
    let left_alone = match bisection.left_alone {
        0 => String::new(),
        count => format!(", of which {count} leave its inputs alone"),
    };
    let measured = match bisection.steps.len() {
        0 => String::new(),
        count => format!("; {count} measured"),
    };
    format!("{} after old{left_alone}{measured}", plural(bisection.commits))
}

fn steps(out: &mut dyn Write, bisection: &Bisection, options: TextOptions) -> io::Result<()> {
    if bisection.steps.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table = Table::new(&["commit", "against old", "pairs", "is as"], options.color).right_align(&[2]);
    for step in &bisection.steps {
        let end = match step.side {
            MoveSide::Before => "old",
            MoveSide::After => "new",
        };
        table.row(vec![
            step.commit.short(SHORT_ID).to_string(),
            terminal_short(&words::paired_shift(&step.shift), 60),
            step.shift.pairs.to_string(),
            if step.is_sure { end.to_owned() } else { format!("{end}, probably") },
        ]);
    }
    out.write_all(table.render(options.width).as_bytes())
}

/// What to do with it.
fn hints(bisection: &Bisection) -> Vec<String> {
    let [only] = bisection.found.as_slice() else { return Vec::new() };
    let id = only.id.short(SHORT_ID);
    let (old, new) = (bisection.old.id.short(SHORT_ID), bisection.new.id.short(SHORT_ID));
    let mut hints = Vec::new();
    match bisection.part() {
        Some(Part::Some) => {
            hints.push(format!(
                "the rest came with other commits: bisect again with --old {old} --new {id}^, or --old {id} --new {new}"
            ));
        }
        Some(Part::Unclear) => {
            hints.push("by itself it shows no clear change: the series moved little by little, or noise misled".to_owned())
        }
        Some(Part::All) | None => {}
    }
    if bisection.steps.iter().any(|step| !step.is_sure) {
        hints.push(
            "some commits stood so near the middle that their pairs do not prove the side: more --pairs may, or a quieter computer"
                .to_owned(),
        );
    }
    if bisection.is_merge {
        hints.push(format!("it is a merge: look into its branch with --old $(git merge-base {id}^1 {id}^2) --new {id}^2"));
    }
    hints.push(format!("git show {id}"));
    hints
}
