//! What Slurm's programs say, read. They have no other way to tell what became of a job; a sentence that is not known here is
//! shown as it is.

use std::fmt;

/// A line on the standard error of srun, which also carries that of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// The job itself said it.
    OfJob(String),
    /// The job of this number waits.
    Waits(String),
    /// The job of this number has its node.
    Begins(String),
    /// Something went wrong, or is about to end.
    Trouble(String),
    /// Anything else, such as what a site tells its users.
    Other(String),
}

impl Words {
    /// Reads a line.
    pub fn of(line: &str) -> Self {
        let of_slurm =
            line.strip_prefix("srun: ").or_else(|| line.strip_prefix("slurmstepd")?.split_once(": ").map(|(_, rest)| rest));
        let Some(words) = of_slurm else { return Self::OfJob(line.to_owned()) };
        let number = |end: &str| words.strip_prefix("job ")?.strip_suffix(end).map(str::to_owned);
        if let Some(id) = number(" queued and waiting for resources") {
            return Self::Waits(id);
        }
        if let Some(id) = number(" has been allocated resources") {
            return Self::Begins(id);
        }
        let about_the_end = ["Job step aborted", "Force Terminated", "Job has been cancelled", "Terminating"];
        match words.strip_prefix("error: ") {
            Some(error) => Self::Trouble(error.to_owned()),
            None if about_the_end.iter().any(|start| words.starts_with(start)) => Self::Trouble(words.to_owned()),
            None => Self::Other(line.to_owned()),
        }
    }
}

/// What a job says first, on its standard error.
pub fn announcement(id: &str, node: &str) -> String {
    format!("job {id} runs on {node}")
}

/// The number of the job that says so.
pub(super) fn announced(line: &str) -> Option<String> {
    line.strip_prefix("job ")?.split_once(" runs on ").map(|(id, _)| id.to_owned())
}

/// A job as squeue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its number.
    pub id: String,
    /// Its state, such as `PENDING` or `TIMEOUT`.
    pub state: String,
    /// Why it waits, in Slurm's word.
    pub reason: String,
}

impl Queued {
    /// Reads what [`super::Slurm::squeue`] asked for. A header, as of several clusters, is passed over.
    pub fn of(answer: &str) -> Option<Self> {
        let mut fields =
            answer.lines().find(|line| line.matches('|').count() == 2)?.split('|').map(|field| field.trim().to_owned());
        Some(Self { id: fields.next()?, state: fields.next()?, reason: fields.next()? })
    }
}

/// Why a job waits, in words where Slurm's own one says too little.
pub fn reason(word: &str) -> String {
    let means = match word {
        "Priority" => "other jobs go first",
        "Resources" => "no such node is free",
        "PartitionTimeLimit" => "it asks for more time than the partition gives, and will not start",
        "PartitionNodeLimit" => "it asks for more than the partition gives, and will not start",
        "BadConstraints" => "no node is like that: it will not start",
        "ReqNodeNotAvail" => "the nodes are down or reserved",
        _ => return word.to_owned(),
    };
    format!("{means} ({word})")
}

/// How a job ended that did not come to the end of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Slurm refused it.
    Refused(String),
    /// It ran into its time limit.
    TimeLimit,
    /// Another job took its place.
    Preempted,
    /// The node failed.
    NodeFailed,
    /// It used more memory than it had asked for.
    OutOfMemory,
    /// Somebody cancelled it.
    Cancelled,
    /// The node does not have the program.
    NoProgram,
    /// Anything else; in srun's words, as far as there are any.
    Unknown(String),
}

impl End {
    /// What the troubles that srun told of, and the last state of the job, come to. A node that waits for its processes to end does
    /// not know a better state than `COMPLETING`, so the words come first.
    pub fn of(troubles: &[String], state: Option<&str>) -> Self {
        let has = |words: &[&str]| troubles.iter().any(|trouble| words.iter().any(|word| trouble.contains(word)));
        let state = state.unwrap_or_default();
        if has(&["DUE TO TIME LIMIT"]) || matches!(state, "TIMEOUT" | "DEADLINE") {
            Self::TimeLimit
        } else if has(&["DUE TO PREEMPTION"]) || state == "PREEMPTED" {
            Self::Preempted
        } else if has(&["DUE TO NODE FAILURE", "Node failure on"]) || matches!(state, "NODE_FAIL" | "BOOT_FAIL") {
            Self::NodeFailed
        } else if has(&["oom-kill", "oom_kill", "Out Of Memory"]) || state == "OUT_OF_MEMORY" {
            Self::OutOfMemory
        } else if has(&["CANCELLED AT", "Job has been cancelled"]) || state == "CANCELLED" {
            Self::Cancelled
        } else if has(&["execve()", "couldn't chdir"]) {
            Self::NoProgram
        } else if has(&["Unable to allocate resources"]) || (state.is_empty() && !troubles.is_empty()) {
            Self::Refused(troubles.join("; "))
        } else {
            Self::Unknown(troubles.join("; "))
        }
    }

    /// Whether Slurm ended it, and not what ran in it.
    pub fn is_from_outside(&self) -> bool {
        matches!(self, Self::TimeLimit | Self::Preempted | Self::NodeFailed | Self::OutOfMemory | Self::Cancelled)
    }

    /// What to do, at the place of this name.
    pub fn hint(&self, place: &str) -> String {
        match self {
            Self::Refused(_) => {
                format!(
                    "sinfo shows the partitions; [fleet.{place}], or git config ratchet.fleet.{place}.slurm, says what is asked for"
                )
            }
            Self::TimeLimit => format!("ask for more with --time=… in [fleet.{place}], or for less at once"),
            Self::OutOfMemory => format!("ask for more with --mem=… in [fleet.{place}]"),
            Self::NoProgram => {
                "the repository and git-ratchet have to lie where every node finds them, at the same path".to_owned()
            }
            Self::Preempted | Self::NodeFailed | Self::Cancelled | Self::Unknown(_) => "start it again".to_owned(),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(words) => write!(f, "Slurm did not start it: {words}"),
            Self::TimeLimit => f.write_str("it ran into its time limit"),
            Self::Preempted => f.write_str("it had to make room for another job"),
            Self::NodeFailed => f.write_str("its node failed"),
            Self::OutOfMemory => f.write_str("it used more memory than it had asked for"),
            Self::Cancelled => f.write_str("somebody cancelled it"),
            Self::NoProgram => f.write_str("its node does not have this program or this folder"),
            Self::Unknown(words) if words.is_empty() => f.write_str("it ended without a word"),
            Self::Unknown(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_srun_are_told_from_those_of_the_job() {
        for (line, expected) in [
            ("recorded 3 results", Words::OfJob("recorded 3 results".to_owned())),
            ("srun: job 12 queued and waiting for resources", Words::Waits("12".to_owned())),
            ("srun: job 12 has been allocated resources", Words::Begins("12".to_owned())),
            ("srun: error: invalid partition specified: nope", Words::Trouble("invalid partition specified: nope".to_owned())),
            ("slurmstepd-n1: error: execve(): /x: No such file", Words::Trouble("execve(): /x: No such file".to_owned())),
            ("srun: Force Terminated StepId=8.0", Words::Trouble("Force Terminated StepId=8.0".to_owned())),
            ("srun: lua: your project has 3 hours left", Words::Other("srun: lua: your project has 3 hours left".to_owned())),
        ] {
            assert_eq!(Words::of(line), expected, "{line}");
        }
    }

    /// What Slurm 22.05 and 23.11 say.
    #[test]
    fn the_end_of_a_job_is_found_in_words_and_state() {
        let end = |troubles: &[&str], state| End::of(&troubles.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), state);
        let step = "*** STEP 4.0 ON n1 CANCELLED AT 2026-12-01T04:55:46";
        assert_eq!(end(&[&format!("{step} DUE TO TIME LIMIT ***")], Some("COMPLETING")), End::TimeLimit);
        assert_eq!(end(&[&format!("{step} DUE TO PREEMPTION ***")], Some("COMPLETING")), End::Preempted);
        assert_eq!(end(&[&format!("{step} ***"), "n1: task 0: Exited with exit code 143"], Some("COMPLETING")), End::Cancelled);
        assert_eq!(end(&["n1: task 0: Out Of Memory"], Some("OUT_OF_MEMORY")), End::OutOfMemory);
        assert_eq!(end(&["Node failure on n1"], None), End::NodeFailed);
        assert_eq!(
            end(&["n1: task 0: Exited with exit code 2", "execve(): /x: No such file or directory"], Some("FAILED")),
            End::NoProgram
        );
        let refused = end(&["invalid partition specified: nope", "Unable to allocate resources: Invalid partition name"], None);
        assert!(matches!(&refused, End::Refused(words) if words.starts_with("invalid partition specified: nope; ")), "{refused}");
        assert_eq!(end(&[], Some("FAILED")).to_string(), "it ended without a word");
    }

    #[test]
    fn the_number_of_a_job_is_found_in_what_it_says_first() {
        assert_eq!(announced(&announcement("12", "n1")).as_deref(), Some("12"));
        assert_eq!(announced("recorded 3 results"), None);
    }

    #[test]
    fn an_answer_of_squeue_is_read() {
        let queued = Queued::of("CLUSTER: big\n12|PENDING|Priority\n").unwrap();
        assert_eq!((queued.id.as_str(), queued.state.as_str()), ("12", "PENDING"));
        assert_eq!(reason(&queued.reason), "other jobs go first (Priority)");
        assert_eq!(Queued::of(""), None);
    }
}
