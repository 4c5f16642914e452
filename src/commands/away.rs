//! A command that runs elsewhere: pinned to what it means now, handed to Slurm, listened to until it ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::{CommandError, During};
use super::recorder::State;
use super::workspace::Workspace;
use crate::exit::Exit;
use crate::fleet::{self, Ended, Job, News, Order, Slurm};
use crate::harness::{Interrupt, REPOSITORY_VARIABLES};
use crate::model::ObjectId;
use crate::report::escape;
use crate::report::number::count;
use crate::settings;

/// What is to be done elsewhere, besides what the command line says.
#[derive(Default)]
pub struct Errand {
    /// The commit whose files are measured, where the command measures those of the work tree.
    pub checkout: Option<ObjectId>,
    /// Revisions that the command line names, in addition to `HEAD`.
    pub revisions: Vec<String>,
    /// The base that was found.
    pub against: Option<(String, ObjectId)>,
    /// The parts that jobs of their own do; one job does everything where there are none.
    pub parts: Vec<Part>,
}

/// The part of one job.
#[derive(Default, Clone)]
pub struct Part {
    /// The commits, oldest and newest as ids.
    pub commits: Option<String>,
    /// The benchmarks.
    pub names: Vec<String>,
}

/// The commit that is measured for files of the work tree.
///
/// # Errors
/// The work tree differs from it.
pub fn clean_head(workspace: &Workspace) -> Result<ObjectId, CommandError> {
    let State { head, dirty } = State::of(workspace)?;
    if dirty {
        return Err(CommandError::failure(
            "tracked files differ from HEAD, and a job takes the files of a commit: it may start when they have changed again",
        )
        .with_hint("commit first (results are found by content, so that amending later loses none), or git stash"));
    }
    Ok(head)
}

/// Does the errand at the place of this name, and tells of it as if it were done here.
pub fn run(place: &str, errand: Errand, workspace: &Workspace, context: &mut Context) -> Result<Exit, CommandError> {
    let slurm = Slurm { options: workspace.settings.place(place)?.slurm.clone() };
    let interrupt = Interrupt::on_ctrl_c().during("cannot start a job")?;
    let orders = orders(errand, workspace, context)?;
    let folder = order_folder(workspace).during("cannot write the order of a job")?;
    let jobs = jobs(&orders, folder.path(), context).during("cannot write the order of a job")?;
    announce(place, &slurm, &jobs, context)?;
    let here = std::env::current_dir().during("cannot tell the working folder")?;
    let without = foreign_variables(context);
    let mut listener =
        Listener { place, jobs: jobs.len(), ended: 0, exit: Exit::Holds, is_cut_short: false, kept: Vec::new(), lost: None };
    let ran = fleet::run(&jobs, &slurm, (&here, &without), &interrupt, &mut |(number, id), news| {
        if !interrupt.is_requested() || !matches!(news, News::Waits(_)) {
            listener.hear(number, id, news, &interrupt, context);
        }
    });
    ran.map_err(|error| no_srun(place, &error))?;
    if listener.is_cut_short {
        // A job that was killed had no time to take its worktree away; what cannot be removed is tried again by the next one.
        workspace.store.remove_dead_worktrees();
    }
    match listener.lost {
        Some(error) => Err(error.into()),
        None if interrupt.is_requested() => {
            let what = if jobs.len() > 1 { "the jobs are" } else { "the job is" };
            Err(CommandError::failure(format!("interrupted: {what} cancelled; what was finished before is recorded")))
        }
        None => Ok(listener.exit),
    }
}

/// One order for each part.
fn orders(errand: Errand, workspace: &Workspace, context: &Context) -> Result<Vec<Order>, CommandError> {
    let Errand { checkout, revisions, against, parts } = errand;
    let store = &workspace.store;
    let mut pinned = Vec::new();
    for name in revisions.into_iter().chain(["HEAD".to_owned()]) {
        let id = workspace.store.resolve(&name)?;
        pinned.push((name, id.to_string()));
    }
    let against = against.map(|(name, id)| {
        pinned.push((name.clone(), id.to_string()));
        name
    });
    let settings_file = store.work_dir().map(|root| root.join(settings::FILE_NAME)).filter(|file| file.exists());
    let arguments = context.arguments.iter().map(|word| word.to_str().map(str::to_owned)).collect::<Option<_>>();
    let order = Order {
        arguments: arguments.ok_or_else(|| CommandError::usage("a word of the command line is not UTF-8"))?,
        repository: store.work_dir().unwrap_or(store.git_dir()).to_owned(),
        checkout: checkout.map(|commit| commit.to_string()),
        pinned,
        settings: settings_file.map(std::fs::read_to_string).transpose().during("cannot read ratchet.toml")?,
        against,
        width: context.terminal.width,
        color: context.terminal.color,
        ..Order::default()
    };
    let parts = if parts.is_empty() { vec![Part::default()] } else { parts };
    Ok(parts.into_iter().map(|Part { commits, names }| Order { commits, names, ..order.clone() }).collect())
}

/// A folder that all nodes see, gone when the command ends.
fn order_folder(workspace: &Workspace) -> std::io::Result<tempfile::TempDir> {
    let base = std::path::absolute(workspace.store.common_dir())?.join("ratchet").join("fleet");
    std::fs::create_dir_all(&base)?;
    tempfile::Builder::new().prefix("").rand_bytes(12).tempdir_in(base)
}

fn jobs(orders: &[Order], folder: &Path, context: &Context) -> std::io::Result<Vec<Job>> {
    let program = context.program.clone().unwrap_or_else(|| PathBuf::from("git-ratchet")).to_string_lossy().into_owned();
    let token = folder.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let job = |(number, order): (usize, &Order)| {
        let file = order.write(folder, number)?;
        let argv = vec![program.clone(), "fleet-job".to_owned(), file.to_string_lossy().into_owned()];
        Ok(Job { name: format!("git-ratchet-{token}-{number}"), argv, order: file })
    };
    orders.iter().enumerate().map(job).collect()
}

/// Nothing is asked of a cluster without saying so.
fn announce(place: &str, slurm: &Slurm, jobs: &[Job], context: &mut Context) -> Result<(), CommandError> {
    // An equals sign means nothing to a shell where it stands.
    let quoted = |word: &String| word.split('=').map(shell_words::quote).collect::<Vec<_>>().join("=");
    let options: Vec<String> = slurm.options.iter().map(quoted).collect();
    let text = format!("asking Slurm for {} on {place}: srun {}", count(jobs.len(), "job"), options.join(" "));
    Ok(writeln!(context.err, "{}", escape::terminal(text.trim_end()))?)
}

/// What must not reach a job: the allocation that somebody stands in, and the repository that git was called for, which the order
/// names.
fn foreign_variables(context: &Context) -> Vec<String> {
    let of_allocation = Slurm::of_allocation(context.env.keys().map(String::as_str));
    of_allocation.into_iter().chain(REPOSITORY_VARIABLES.map(str::to_owned)).collect()
}

fn no_srun(place: &str, error: &std::io::Error) -> CommandError {
    let failure = CommandError::failure(format!("cannot start srun, which --on {place} needs: {error}"));
    failure.with_hint("run it where Slurm is installed, such as the cluster's login node; without --on it runs here")
}

/// Tells of jobs. What each of several prints is shown when it ends, so that tables stay whole.
struct Listener<'a> {
    place: &'a str,
    jobs: usize,
    ended: usize,
    exit: Exit,
    is_cut_short: bool,
    kept: Vec<(usize, Vec<u8>)>,
    /// Standard output does not take any more.
    lost: Option<std::io::Error>,
}

impl Listener<'_> {
    fn hear(&mut self, number: usize, id: Option<&str>, news: News, interrupt: &Interrupt, context: &mut Context) {
        let job = id.map_or_else(|| "the job".to_owned(), |id| format!("job {id}"));
        match news {
            News::Out(bytes) if self.jobs > 1 => self.kept.push((number, bytes)),
            News::Out(bytes) => self.show(&bytes, context),
            // It was made fit for a terminal where it was said.
            News::Line(line) if self.jobs > 1 => {
                raw(&format!("{}: {line}", id.map_or(number.to_string(), str::to_owned)), context)
            }
            News::Line(line) => raw(&line, context),
            News::Slurm(line) => tell(&line, context),
            News::Waits(None) => tell(&format!("{job} waits in the queue"), context),
            News::Waits(Some(why)) => tell(&format!("{job} waits: {why}"), context),
            News::Ended(ended) => {
                let kept: Vec<u8> =
                    self.kept.iter().filter(|(of, _)| *of == number).flat_map(|(_, bytes)| bytes).copied().collect();
                self.show(&kept, context);
                self.end(&job, ended, interrupt, context);
            }
        }
    }

    fn end(&mut self, job: &str, Ended { code, end }: Ended, interrupt: &Interrupt, context: &mut Context) {
        self.ended += 1;
        self.is_cut_short |= end.is_some();
        let exit = match end {
            None => code.and_then(Exit::of_code).unwrap_or(Exit::Failure),
            Some(_) if interrupt.is_requested() => Exit::Failure,
            Some(end) => {
                let error = CommandError::failure(format!("{job} on {} did not do its work: {end}", self.place));
                super::report_error(&error.with_hint(end.hint(self.place)), context)
            }
        };
        self.exit = self.exit.worse(exit);
        if self.jobs > 1 {
            tell(&format!("{} of {} are done", self.ended, count(self.jobs, "job")), context);
        }
    }

    fn show(&mut self, bytes: &[u8], context: &mut Context) {
        if self.lost.is_none() {
            self.lost = context.out.write_all(bytes).and_then(|()| context.out.flush()).err();
        }
    }
}

fn tell(line: &str, context: &mut Context) {
    raw(&escape::terminal(line), context);
}

fn raw(line: &str, context: &mut Context) {
    // Nobody is left to hear that stderr is closed.
    let _ = writeln!(context.err, "{line}");
}
