//! Reads the world (arguments, environment, clock, terminal), calls the library, returns its exit code.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use git_ratchet::commands::{self, Context, Pinned, Terminal};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let color = wants_color(&arguments);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut err = io::stderr();
    let mut context = Context {
        out: &mut out,
        err: &mut err,
        env: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        terminal: Terminal { width: width(), color, progress: io::stderr().is_terminal() },
        clock: now,
        random,
        dir: None,
        program: std::env::current_exe().ok(),
        arguments: arguments.clone(),
        pinned: Pinned::default(),
    };
    let code = commands::main(&arguments, &mut context);
    // A reader that went away has seen enough; every other error was reported by the flush of the command.
    let _ = out.flush();
    ExitCode::from(code)
}

/// The columns of the terminal; of the one behind git's pager, which tells them as git does.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
fn width() -> Option<usize> {
    if io::stdout().is_terminal() {
        return Some(terminal_size::terminal_size().map_or(100, |(width, _)| width.0.into()));
    }
    std::env::var("COLUMNS").ok().filter(|_| is_set("GIT_PAGER_IN_USE"))?.parse().ok()
}

/// `--color` wins over NO_COLOR and the terminal. It is looked for before parsing, since help is coloured, too.
fn wants_color(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let after = words.windows(2).find(|pair| pair[0] == "--color").map(|pair| pair[1]);
    match after.or_else(|| words.iter().find_map(|word| word.strip_prefix("--color="))) {
        Some("always") => true,
        Some("never") => false,
        // git runs its pager before us where `pager.ratchet` is set: our output is a pipe then, and read on a terminal.
        _ if is_set("GIT_PAGER_IN_USE") => !is_set("NO_COLOR"),
        _ => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

#[expect(clippy::disallowed_methods, reason = "the clock is read here and nowhere else")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Random bits of the operating system, by way of the hasher that the standard library seeds with them.
fn random() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    let half = |salt: u8| u128::from(RandomState::new().hash_one((salt, std::process::id())));
    half(0) << 64 | half(1)
}
