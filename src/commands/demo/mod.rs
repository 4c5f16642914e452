//! `demo`: the whole loop in a throw-away repository, with nothing but git and this program.
//!
//! Five commits of a real program are measured for real; nothing that is shown is canned. What the commands print is
//! what they print anywhere else, exit codes included.

mod shell;
mod work;

use std::fs;
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use crate::cli::DemoArgs;
use crate::exit::Exit;
use shell::Shell;

/// Runs the command, or the program that the demo measures.
pub fn run(arguments: &DemoArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match &arguments.work {
        Some(plan) => work(plan, context),
        None => demo(arguments, context),
    }
}

fn work(plan: &Path, context: &mut Context) -> Result<Exit, CommandError> {
    let text = fs::read_to_string(plan).during(format!("cannot read {}", plan.display()))?;
    let plan = work::Plan::parse(&text).map_err(CommandError::usage)?;
    work::run(plan, context.out)?;
    Ok(Exit::Holds)
}

fn demo(arguments: &DemoArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let folder = tempfile::Builder::new().prefix("git-ratchet-demo-").tempdir().during("cannot make a temporary folder")?;
    let program = own_path(context)?;
    let outcome = script(&mut Shell::new(folder.path(), &program, context));
    if arguments.keep {
        let kept = folder.keep();
        writeln!(context.out, "\nThe repository is kept: {}", kept.display())?;
    }
    outcome.map(|()| Exit::Holds)
}

/// Where this program lies, whatever it is called there.
fn own_path(context: &Context) -> Result<String, CommandError> {
    let path = context.program.as_ref().ok_or_else(|| {
        CommandError::failure("cannot find this program's own file")
            .with_hint("the demo measures this program: run it from a file that is still there")
    })?;
    path.to_str().map(str::to_owned).ok_or_else(|| {
        CommandError::failure(format!("the path of this program is not UTF-8, as ratchet.toml is: {}", path.display()))
            .with_hint("copy it to another folder, and run the demo from there")
    })
}

/// The settings of the demo's repository: short sampling and a wide threshold, since the steps are large, and processor
/// time, since nobody stops everything else on the computer for a demo. The program is named by its path: it need not be in
/// `PATH`, where another version might be, nor be called `git-ratchet`.
fn settings(program: &str) -> String {
    let program = toml::Value::from(program);
    format!(
        "\
[sampling]
warmup = 2
min_runs = 10
max_runs = 60
max_time = \"3s\"
precision = 1

[[benchmark]]
name = \"matmul\"
command = [{program}, \"demo\", \"--work\", \"matmul.plan\"]

[[benchmark.metrics]]
name = \"cpu_time\"
regression = 10
"
    )
}

fn script(shell: &mut Shell) -> Result<(), CommandError> {
    shell.say("A repository with a program, a matrix product, and a benchmark of it.")?;
    shell.git(&["init", "-q", "-b", "main"])?;
    shell.write("ratchet.toml", &settings(shell.program()))?;
    plan(shell, 1)?;
    shell.commit("Multiply matrices one number at a time")?;
    shell.ratchet(&["bench"], Exit::Holds)?;
    shell.ratchet(&["check"], Exit::Holds)?;

    shell.say("Larger blocks use the caches better. The faster level becomes the baseline by itself.")?;
    plan(shell, 64)?;
    shell.commit("Use blocks of 64")?;
    shell.ratchet(&["bench"], Exit::Holds)?;
    shell.ratchet(&["check"], Exit::Holds)?;

    shell
        .say("A change that does not touch the speed passes; should noise have made it look slower, a second look clears it.")?;
    shell.write("README", "Multiplies matrices.\n")?;
    shell.commit("Say what it does")?;
    shell.ratchet(&["bench"], Exit::Holds)?;
    shell.ratchet(&["check", "--confirm"], Exit::Holds)?;

    shell.say("A slower change is measured again, in turn with the best level. Proven, it fails: exit code 1 stops a push.")?;
    plan(shell, 2)?;
    shell.commit("Use blocks of 2 to save memory")?;
    shell.ratchet(&["bench"], Exit::Holds)?;
    shell.ratchet(&["check", "--confirm"], Exit::Regression)?;

    shell.say("A loss that is worth it gets an excuse with a reason; from here on the older level no longer binds.")?;
    shell.ratchet(&["excuse", "matmul", "--reason", "the smaller blocks fit the new board"], Exit::Holds)?;
    shell.ratchet(&["check"], Exit::Holds)?;
    shell.ratchet(&["log"], Exit::Holds)?;

    shell.say("All of it lies in git notes, which any git can read.")?;
    shell.show_git(&["notes", "--ref=ratchet", "list"])?;
    shell.say("Next, in a repository of your own: git ratchet init")
}

fn plan(shell: &mut Shell, tile: usize) -> Result<(), CommandError> {
    shell.write("matmul.plan", &format!("# Edge of the matrices and of the blocks.\nsize = 128\ntile = {tile}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_of_the_program_stands_in_the_settings() {
        for program in ["/usr/bin/git-ratchet", "/tmp/it's a \"demo\"\\new\n/ratchet-dev"] {
            let settings: toml::Table = settings(program).parse().unwrap();
            assert_eq!(settings["benchmark"][0]["command"][0].as_str(), Some(program));
        }
    }
}
