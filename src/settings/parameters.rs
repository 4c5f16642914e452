//! Where placeholders may stand, and which names they may have there.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use super::benchmark::{CommandPattern, CommandPatterns};
use super::error::Problem;
use super::placeholder::Pattern;
use super::raw::{RawBenchmark, RawCommand};
use crate::model::Config;
use crate::written::{Ordered, Scalar};

/// The names that every point of a benchmark has, in which placeholders may be written.
pub(super) struct Parameters<'a> {
    of_every_point: BTreeSet<&'a str>,
    configs: &'a [Config],
}

impl<'a> Parameters<'a> {
    /// Those that all of `configs` have.
    pub(super) fn of(configs: &'a [Config]) -> Self {
        let mut of_every_point: BTreeSet<&str> =
            configs.first().map(|config| config.iter().map(|(name, _)| name).collect()).unwrap_or_default();
        of_every_point.retain(|name| configs.iter().all(|config| config.get(name).is_some()));
        Self { of_every_point, configs }
    }

    /// These, and no points.
    pub(super) fn named(names: &[&'a str]) -> Self {
        Self { of_every_point: names.iter().copied().collect(), configs: &[] }
    }

    pub(super) fn pattern(&self, text: &str, span: &Range<usize>) -> Result<Pattern, Problem> {
        let pattern = parsed(text, span)?;
        if let Some(unknown) = pattern.parameters().find(|name| !self.of_every_point.contains(name)) {
            return Err(self.unknown(unknown, span));
        }
        Ok(pattern)
    }

    fn unknown(&self, name: &str, span: &Range<usize>) -> Problem {
        let known: Vec<&str> = self.of_every_point.iter().copied().collect();
        let is_in_some = self.configs.iter().any(|config| config.get(name).is_some());
        let hint = match super::error::closest(name, &known) {
            Some(close) => format!("did you mean `{{{close}}}`? `{{{{` stands for a brace itself"),
            None if is_in_some => "some points do not have this parameter: give it to every one".to_owned(),
            None if known.is_empty() => "there are no parameters here; write `{{` for a brace itself".to_owned(),
            None => format!("known here: {}; write `{{{{` for a brace itself", known.join(", ")),
        };
        Problem::at(span.clone(), format!("unknown placeholder `{{{name}}}`")).hint(hint)
    }

    pub(super) fn command(&self, raw: &Spanned<RawCommand>) -> Result<CommandPattern, Problem> {
        let span = raw.span();
        let no_command =
            || Err(Problem::at(span.clone(), "this command is empty").hint("write [\"program\", \"argument\"] or a shell line"));
        match raw.as_ref() {
            RawCommand::Shell(line) if line.trim().is_empty() => no_command(),
            RawCommand::Argv(words) if words.first().is_none_or(|program| program.is_empty()) => no_command(),
            RawCommand::Shell(line) => Ok(CommandPattern::Shell(self.pattern(line, &span)?)),
            RawCommand::Argv(words) => {
                let words = words.iter().map(|word| self.pattern(word, &span)).collect::<Result<_, _>>()?;
                Ok(CommandPattern::Argv(words))
            }
        }
    }

    pub(super) fn optional_command(&self, raw: &Option<Spanned<RawCommand>>) -> Result<Option<CommandPattern>, Problem> {
        raw.as_ref().map(|raw| self.command(raw)).transpose()
    }

    /// The working folder, which stays inside the repository for every point.
    pub(super) fn directory(&self, raw: &Spanned<super::values::Text>) -> Result<Pattern, Problem> {
        let pattern = self.pattern(&raw.as_ref().0, &raw.span())?;
        for config in self.configs {
            let filled = pattern.fill(config);
            let stays_inside = std::path::Path::new(&filled)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
            if !stays_inside {
                let message = format!("`{filled}` is not a folder inside the repository");
                return Err(
                    Problem::at(raw.span(), message).hint("`dir` is relative to the root of the repository, without `..`")
                );
            }
        }
        Ok(pattern)
    }

    pub(super) fn environment(&self, raw: &Option<Spanned<Ordered<Spanned<Scalar>>>>) -> Result<Vec<(String, Pattern)>, Problem> {
        let variable = |(name, value): &(String, Spanned<Scalar>)| {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(Problem::at(value.span(), format!("{name:?} is not the name of an environment variable")));
            }
            Ok((name.clone(), self.pattern(&value.as_ref().to_text(), &value.span())?))
        };
        raw.iter().flat_map(|env| &env.as_ref().0).map(variable).collect()
    }
}

/// A text whose placeholders are not checked against any names.
pub(super) fn parsed(text: &str, span: &Range<usize>) -> Result<Pattern, Problem> {
    if text.contains('\0') {
        return Err(Problem::at(span.clone(), "a text for another program must not contain a NUL character"));
    }
    Pattern::parse(text).map_err(|_| Problem::at(span.clone(), "a `{` is not closed").hint("write `{{` for a brace itself"))
}

/// The texts of a command, each with the parameters that it may know.
pub(super) fn patterns(
    raw: &RawBenchmark,
    command: &Spanned<RawCommand>,
    configs: &[Config],
) -> Result<CommandPatterns, Problem> {
    let parameters = Parameters::of(configs);
    // A build serves all points, so it knows the parameters of none.
    let no_parameters = Parameters::of(&[]);
    Ok(CommandPatterns {
        command: parameters.command(command)?,
        build: no_parameters.optional_command(&raw.build)?,
        prepare: parameters.optional_command(&raw.prepare)?,
        cleanup: parameters.optional_command(&raw.cleanup)?,
        dir: raw.dir.as_ref().map(|dir| parameters.directory(dir)).transpose()?,
        env: parameters.environment(&raw.env)?,
    })
}
