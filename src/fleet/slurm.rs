//! The command lines of Slurm's programs.

/// What Slurm is asked for at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slurm {
    /// Options of srun.
    pub options: Vec<String>,
}

impl Slurm {
    /// The line that runs `argv` as a job of this name: one process on one node, with the environment of here, in this folder. What
    /// comes last wins, so the user's options come first.
    pub fn srun(&self, name: &str, folder: &str, argv: &[String]) -> Vec<String> {
        let own = [
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            "--input=none".to_owned(),
            "--export=ALL".to_owned(),
            format!("--chdir={folder}"),
            format!("--job-name={name}"),
        ];
        let words = ["srun".to_owned()].into_iter().chain(self.options.iter().cloned()).chain(own);
        words.chain(["--".to_owned()]).chain(argv.iter().cloned()).collect()
    }

    /// The line that asks for the state of a job; [`super::Queued`] reads the answer.
    pub fn squeue(&self, name: &str) -> Vec<String> {
        self.about("squeue", name, &["--noheader", "--states=all", "--format=%i|%T|%r"])
    }

    /// The line that cancels a job, whether it waits or runs.
    pub fn scancel(&self, name: &str) -> Vec<String> {
        self.about("scancel", name, &["--quiet"])
    }

    /// A name is known before the job has a number. Another cluster has to be asked itself.
    fn about(&self, program: &str, name: &str, options: &[&str]) -> Vec<String> {
        let clusters = self.options.iter().filter(|word| word.starts_with("--clusters=") || word.starts_with("-M"));
        let words = [program.to_owned(), format!("--name={name}")].into_iter().chain(clusters.cloned());
        words.chain(options.iter().map(|word| (*word).to_owned())).collect()
    }

    /// The variables that would make srun start a step of the allocation that somebody stands in, with its size, in place of a job.
    /// Outside of one they are the user's own defaults.
    pub fn of_allocation<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
        let stays = |name: &str| matches!(name, "SLURM_CONF" | "SLURM_CLUSTERS");
        let is_inside = names.clone().any(|name| name == "SLURM_JOB_ID");
        names.filter(|name| is_inside && name.starts_with("SLURM_") && !stays(name)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_process_on_one_node_whatever_was_asked_for_before() {
        let slurm = Slurm { options: ["--partition=gpu", "--clusters=big"].map(str::to_owned).to_vec() };
        let line = slurm.srun("git-ratchet-x", "/home/ann/repo", &["/bin/git-ratchet".to_owned(), "fleet-job".to_owned()]);
        let expected = "srun --partition=gpu --clusters=big --nodes=1 --ntasks=1 --input=none --export=ALL --chdir=/home/ann/repo \
            --job-name=git-ratchet-x -- /bin/git-ratchet fleet-job";
        assert_eq!(line.join(" "), expected);
        assert_eq!(slurm.scancel("x").join(" "), "scancel --name=x --clusters=big --quiet");
    }

    #[test]
    fn inside_an_allocation_a_job_of_its_own_is_asked_for() {
        let inside = ["HOME", "SLURM_JOB_ID", "SLURM_CONF", "SLURM_NTASKS"];
        assert_eq!(Slurm::of_allocation(inside.into_iter()), ["SLURM_JOB_ID", "SLURM_NTASKS"]);
        assert!(Slurm::of_allocation(["SLURM_PARTITION", "HOME"].into_iter()).is_empty());
    }
}
