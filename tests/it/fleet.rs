//! `--on NAME` with a real Slurm: a throw-away cluster of two nodes on this computer, by `.ci/slurm`. SKIPPED where Slurm is not
//! installed or we are not root, whom its daemons want; `.ci/run` has it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::{Ran, World, wait_until};

const SETTINGS: &str = r#"
[sampling]
warmup = 1
min_runs = 6
max_runs = 6

[fleet.test]
slurm = ["--partition=test", "--time=10"]

[fleet.nowhere]
slurm = ["--partition=nope"]

[[benchmark]]
name = "work"
command = ["sh", "work.sh"]
metrics = [{ name = "time", unit = "ms", regex = "took ([0-9]+) ms" }]

[[benchmark]]
name = "other"
command = "echo took 5 ms"
metrics = [{ name = "time", unit = "ms", regex = "took ([0-9]+) ms" }]
"#;

/// It tells its own time, so that a busy computer changes nothing.
fn work(milliseconds: u32) -> String {
    format!("echo took {milliseconds} ms\n")
}

/// A repository with two benchmarks, and one commit.
fn world() -> World {
    let world = World::new();
    world.write("ratchet.toml", SETTINGS);
    world.write("work.sh", &work(10));
    world.commit("base");
    world
}

/// The cluster. Dropped, it ends.
struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// `None`, and said so, where there is none to be had.
    fn start(test: &str) -> Option<Self> {
        let missing = |program: &&str| Command::new(program).arg("-V").output().is_err();
        let why = match ["srun", "slurmctld", "slurmd", "munged"].into_iter().find(missing) {
            Some(program) => Some(format!("there is no {program}: apt-get install slurm-wlm munge")),
            None => (!rustix::process::geteuid().is_root()).then(|| "Slurm's daemons have to be started by root".to_owned()),
        };
        if let Some(why) = why {
            assert!(std::env::var_os("RATCHET_NEEDS_SLURM").is_none(), "{why}");
            println!("SKIPPED {test}: {why}");
            return None;
        }
        let cluster = Self { folder: tempfile::Builder::new().prefix("ratchet-slurm-").tempdir().unwrap() };
        let started = cluster.script(&[]).output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(cluster)
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/slurm"));
        command.arg(self.folder.path()).args(arguments).stdout(Stdio::null());
        command
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// One of Slurm's own programs; must succeed.
    #[track_caller]
    fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).env("SLURM_CONF", self.conf()).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// States of the jobs that are not over.
    fn states(&self) -> String {
        self.slurm("squeue", &["--noheader", "--format=%T"])
    }

    fn command(&self, world: &World, arguments: &[&str]) -> Command {
        let mut command = world.ratchet_command(&world.repo, arguments);
        command.env("SLURM_CONF", self.conf());
        command
    }

    fn ratchet(&self, world: &World, arguments: &[&str]) -> Ran {
        self.command(world, arguments).output().unwrap().into()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.script(&["stop"]).status();
    }
}

/// A command that runs while the test goes on, and what it said so far on its standard error.
struct Started {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Started {
    fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, said: String::new() }
    }

    /// Reads until a line has this text.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        while !self.said.contains(text) {
            let read = self.err.read_line(&mut self.said).unwrap();
            assert!(read > 0, "it never said `{text}`:\n{}", self.said);
        }
    }

    fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    fn end(mut self) -> Ran {
        while self.err.read_line(&mut self.said).unwrap() > 0 {}
        Ran { err: self.said, ..self.child.wait_with_output().unwrap().into() }
    }
}

/// The medians of HEAD, or of another commit, by benchmark.
fn shown(world: &World, revision: &str) -> String {
    world.ratchet(&["show", revision]).expect(0).out
}

#[track_caller]
fn nothing_is_left(world: &World) {
    let left = fs::read_dir(world.repo.join(".git/ratchet/fleet")).unwrap().count();
    assert_eq!(left, 0, "orders are gone");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1, "worktrees are gone");
}

#[test]
fn work_is_done_by_slurm() {
    let Some(cluster) = Cluster::start("work_is_done_by_slurm") else { return };
    the_commit_of_the_submission_is_measured_whatever_happens_while_the_job_waits(&cluster);
    a_loss_is_proven_elsewhere(&cluster);
    several_jobs_share_the_work_and_a_failure_stops_no_other(&cluster);
    older_commits_are_shared_out(&cluster);
    what_slurm_refuses_is_no_regression(&cluster);
    a_cancelled_job_is_a_failure_that_says_so(&cluster);
    ctrl_c_cancels_the_job_and_leaves_nothing(&cluster);
}

fn the_commit_of_the_submission_is_measured_whatever_happens_while_the_job_waits(cluster: &Cluster) {
    let world = world();
    let blocking = cluster.slurm("sbatch", &["--parsable", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 600"]);
    wait_until(|| cluster.states().contains("RUNNING"));
    let mut waiting = Started::new(cluster.command(&world, &["bench", "--on", "test"]));
    waiting.wait_for("waits in the queue");
    waiting.wait_for("no such node is free");
    let before = world.git(&["rev-parse", "HEAD"]);
    world.write("work.sh", &work(77));
    world.write("ratchet.toml", &SETTINGS.replace("took 5 ms", "took 99 ms"));
    world.commit("the user goes on");
    cluster.slurm("scancel", &[blocking.trim()]);
    let ran = waiting.end().expect(0);
    assert!(ran.err.contains("runs on n"), "{}", ran.err);
    let results = shown(&world, &before);
    assert!(results.contains(" 10 ms ") && results.contains(" 5 ms "), "{results}");
    assert!(results.contains("node n"), "the node is a fact of the run: {results}");
    assert!(!shown(&world, "HEAD").contains("work"), "the newer commit was not measured");
    nothing_is_left(&world);
}

fn a_loss_is_proven_elsewhere(cluster: &Cluster) {
    let world = world();
    cluster.ratchet(&world, &["bench", "--on", "test"]).expect(0);
    world.write("work.sh", &work(20));
    world.commit("slower");
    cluster.ratchet(&world, &["bench", "--on", "test"]).expect(0);
    let ran = cluster.ratchet(&world, &["check", "--confirm", "--on", "test", "--json"]).expect(1);
    let json = ran.json();
    let work = json["series"].as_array().unwrap().iter().find(|series| series["benchmark"] == "work").unwrap();
    assert_eq!(work["reasons"]["confirmation"]["stopped"], "proven", "{work}");
    cluster.ratchet(&world, &["compare", "HEAD~1", "HEAD", "--live", "--pairs", "4", "--on", "test"]).expect(0);
    nothing_is_left(&world);
}

fn several_jobs_share_the_work_and_a_failure_stops_no_other(cluster: &Cluster) {
    let world = world();
    world.write("work.sh", "exit 3\n");
    world.commit("broken");
    let ran = cluster.ratchet(&world, &["bench", "--on", "test", "--jobs", "2"]).expect(4);
    assert!(ran.err.contains("2 of 2 jobs are done"), "{}", ran.err);
    assert!(shown(&world, "HEAD").contains("other"), "what worked is recorded");
}

fn older_commits_are_shared_out(cluster: &Cluster) {
    let world = world();
    for milliseconds in [11, 12, 13] {
        world.write("work.sh", &work(milliseconds));
        world.commit("another");
    }
    cluster.ratchet(&world, &["bench", "--commits", "HEAD~3..HEAD", "--jobs", "2", "--on", "test"]).expect(0);
    for (revision, time) in [("HEAD~2", " 11 ms "), ("HEAD~1", " 12 ms "), ("HEAD", " 13 ms ")] {
        assert!(shown(&world, revision).contains(time), "{revision}");
    }
    assert!(!shown(&world, "HEAD~3").contains("work"));
}

fn what_slurm_refuses_is_no_regression(cluster: &Cluster) {
    let ran = cluster.ratchet(&world(), &["bench", "--on", "nowhere"]).expect(4);
    assert!(ran.err.contains("Slurm did not start it: ") && ran.err.contains("nope"), "{}", ran.err);
    assert!(ran.err.contains("hint: sinfo shows the partitions"), "{}", ran.err);
}

/// A repository whose benchmark does not end by itself.
fn endless() -> World {
    let world = world();
    world.write("work.sh", "sleep 600\n");
    world.commit("endless");
    world
}

fn a_cancelled_job_is_a_failure_that_says_so(cluster: &Cluster) {
    let world = endless();
    let mut started = Started::new(cluster.command(&world, &["bench", "work", "--on", "test"]));
    started.wait_for("[1/1] work");
    cluster.slurm("scancel", &["--partition=test"]);
    let ran = started.end().expect(4);
    assert!(ran.err.contains("did not do its work: somebody cancelled it"), "{}", ran.err);
    nothing_is_left(&world);
}

fn ctrl_c_cancels_the_job_and_leaves_nothing(cluster: &Cluster) {
    let world = endless();
    let mut started = Started::new(cluster.command(&world, &["bench", "work", "--on", "test"]));
    started.wait_for("[1/1] work");
    started.interrupt();
    let ran = started.end().expect(4);
    assert!(ran.err.contains("interrupted: the job is cancelled"), "{}", ran.err);
    wait_until(|| !cluster.states().contains("RUNNING"));
    nothing_is_left(&world);
}

#[test]
#[ignore = "Slurm looks at time limits once a minute"]
fn a_job_that_runs_into_its_time_limit_says_so() {
    let Some(cluster) = Cluster::start("a_job_that_runs_into_its_time_limit_says_so") else { return };
    let world = endless();
    world.git(&["config", "ratchet.fleet.test.slurm", "--partition=test --time=1"]);
    let ran = cluster.ratchet(&world, &["bench", "work", "--on", "test"]).expect(4);
    assert!(ran.err.contains("did not do its work: it ran into its time limit"), "{}", ran.err);
    assert!(ran.err.contains("hint: ask for more with --time="), "{}", ran.err);
    nothing_is_left(&world);
}

#[test]
fn uncommitted_changes_are_not_sent_anywhere() {
    let world = world();
    world.write("work.sh", &work(20));
    let ran = world.ratchet(&["bench", "--on", "test"]).expect(4);
    assert!(ran.err.contains("tracked files differ from HEAD"), "{}", ran.err);
    assert!(ran.err.contains("hint: commit first"), "{}", ran.err);
}

#[test]
fn a_place_that_nobody_named_is_a_usage_error_before_anything_is_asked_of_slurm() {
    let world = world();
    let ran = world.ratchet(&["bench", "--on", "tset"]).expect(2);
    assert!(ran.err.contains("there is no place `tset`: did you mean `test`?"), "{}", ran.err);
    for (options, said) in [("partition=gpu", "is no option of srun"), ("--nodes=4", "is not asked of a place")] {
        world.git(&["config", "ratchet.fleet.mine.slurm", options]);
        let ran = world.ratchet(&["bench", "--on", "mine"]).expect(2);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}

#[test]
fn a_check_that_runs_nothing_runs_nowhere() {
    let world = world();
    let ran = world.ratchet(&["check", "--on", "test"]).expect(2);
    assert!(ran.err.contains("hint: add --confirm"), "{}", ran.err);
    let ran = world.ratchet(&["compare", "HEAD", "HEAD", "--on", "test"]).expect(2);
    assert!(ran.err.contains("hint: add --live"), "{}", ran.err);
}

#[test]
fn without_slurm_it_says_where_to_go() {
    let world = world();
    let programs = world.root().join("programs");
    fs::create_dir(&programs).unwrap();
    let git = std::env::split_paths(&std::env::var_os("PATH").unwrap()).map(|folder| folder.join("git")).find(|git| git.exists());
    std::os::unix::fs::symlink(git.unwrap(), programs.join("git")).unwrap();
    let mut command = world.ratchet_command(&world.repo, &["bench", "--on", "test"]);
    let ran = world.run(command.env("PATH", &programs)).expect(4);
    assert!(ran.err.contains("cannot start srun, which --on test needs"), "{}", ran.err);
    assert!(ran.err.contains("hint: run it where Slurm is installed"), "{}", ran.err);
    let doctor = world.run(world.ratchet_command(&world.repo, &["doctor"]).env("PATH", &programs));
    assert!(doctor.out.contains("nowhere, test, but there is no srun here"), "{}", doctor.out);
    nothing_is_left(&world);
}
