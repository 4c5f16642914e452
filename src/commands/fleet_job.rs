//! `fleet-job`: what runs on a node: a command as it was typed elsewhere, with the commits and settings of then. Hidden, since only
//! this program asks Slurm for it.

use super::builds;
use super::context::{Context, Pinned};
use super::error::{CommandError, During};
use super::workspace::Workspace;
use crate::cli::{Cli, Command, FleetJobArgs, ProfileArgs};
use crate::exit::Exit;
use crate::fleet::{self, Order};
use crate::harness::Interrupt;
use crate::model::ObjectId;
use crate::report::check_text::write_notice;
use crate::report::escape;
use crate::report::words::SHORT_ID;
use crate::store::Checkout;

use clap::Parser;

/// Runs the command, and leaves its exit code beside the order. Towards Slurm it holds: a regression is no failure of the job.
pub fn run(arguments: &FleetJobArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let order = Order::read(&arguments.order).map_err(CommandError::failure)?;
    // From here on an end from outside is one that cleans up.
    Interrupt::on_ctrl_c().during("cannot start measuring")?;
    let name = |variable| context.env(variable).unwrap_or("?").to_owned();
    let (job, node) = (name("SLURM_JOB_ID"), name("SLURMD_NODENAME"));
    writeln!(context.err, "{}", escape::terminal(&fleet::announcement(&job, &node)))?;
    let exit = carry_out(order, context).unwrap_or_else(|error| super::report_error(&error, context));
    context.out.flush()?;
    fleet::leave_exit(&arguments.order, exit.code()).during("cannot leave the exit code")?;
    Ok(Exit::Holds)
}

fn carry_out(order: Order, context: &mut Context) -> Result<Exit, CommandError> {
    let mut cli = Cli::try_parse_from(&order.arguments).map_err(|error| CommandError::usage(error.to_string()))?;
    let typed_in = cli.dir.take();
    divide(&mut cli.command, &order);
    if let Command::Profile(ProfileArgs { output: Some(folder), .. }) = &mut cli.command {
        // Where it was typed, and not in the worktree, which goes when the job ends.
        *folder = std::path::absolute(typed_in.unwrap_or_default().join(&*folder)).during("cannot tell the working folder")?;
    }
    context.terminal.width = order.width;
    context.terminal.color = order.color;
    context.dir = Some(order.repository.clone());
    let pinned = order.pinned.iter().map(|(name, id)| Ok((name.clone(), id_of(id)?)));
    context.pinned = Pinned { settings: order.settings, revisions: pinned.collect::<Result<_, CommandError>>()? };
    let Some(commit) = order.checkout.as_deref().map(id_of).transpose()? else { return super::run(cli, context) };
    let workspace = Workspace::open(context)?;
    let mut worktrees = workspace.store.worktrees(builds::keeping(&workspace.settings, context))?;
    worktrees.begin([commit]);
    let Checkout { folder, empty_submodules, .. } = worktrees.take(commit)?;
    if !empty_submodules.is_empty() {
        let notice = super::paired::without_submodules(commit, &empty_submodules);
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    context.dir = Some(folder.clone());
    let done = super::run(cli, context);
    if !matches!(done, Ok(Exit::Holds | Exit::NoVerdict)) {
        worktrees.spoil(&folder);
    }
    done
}

/// Leaves of a command what is this job's part of it, to be done here.
fn divide(command: &mut Command, order: &Order) {
    match command {
        Command::Bench(bench) => {
            (bench.place.on, bench.jobs) = (None, None);
            bench.commits = order.commits.clone().or(bench.commits.take());
            if !order.names.is_empty() {
                bench.names.clone_from(&order.names);
            }
        }
        Command::Check(check) => {
            check.place.on = None;
            check.past.against = order.against.clone().or(check.past.against.take());
        }
        Command::Compare(compare) => compare.place.on = None,
        Command::Bisect(bisect) => bisect.place.on = None,
        Command::Profile(profile) => profile.place.on = None,
        Command::Tune(tune) => tune.place.on = None,
        _ => {}
    }
}

fn id_of(text: &str) -> Result<ObjectId, CommandError> {
    text.parse()
        .map_err(|_| CommandError::usage(format!("`{}` is no id of a commit", text.chars().take(SHORT_ID).collect::<String>())))
}
