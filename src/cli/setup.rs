//! The arguments of the verbs that set things up: `init`, `doctor`, `demo`, `completions`, `install-man-pages`.

use std::path::PathBuf;

use clap::Args;

/// Write a ratchet.toml and set this repository up to exchange notes.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Replace an existing ratchet.toml.
    #[arg(long)]
    pub force: bool,
    /// Do not add the refspec that lets plain `git fetch` bring the notes of the remote.
    #[arg(long)]
    pub no_refspec: bool,
}

/// Say what is missing here: of git and its notes, of the settings, of CUDA.
///
/// Looks at git, identity, remote, notes, history, ratchet.toml, the testbed, NVRTC, the GPU's driver and Nsight Compute, and
/// names the command that mends what is wrong. Changes nothing.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Run the whole loop in a throw-away repository, measured for real.
///
/// Makes a small program slower and faster again, with benchmarks, notes, checks and an excuse. Needs nothing but git;
/// nothing outside a temporary folder is touched.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the repository and print where it is.
    #[arg(long)]
    pub keep: bool,
    /// The measured program of the demo: multiplies matrices by the plan in this file.
    #[arg(long, hide = true, value_name = "FILE")]
    pub work: Option<PathBuf>,
}

/// Print a completion script for a shell.
///
/// For bash, in ~/.bashrc: `source <(git-ratchet completions bash)`; for zsh a file `_git-ratchet` in a folder of $fpath; for
/// fish `git-ratchet completions fish > ~/.config/fish/completions/git-ratchet.fish`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Write the man pages, so that `git ratchet --help` and `git help ratchet` work.
#[derive(Debug, Args)]
pub struct InstallManPagesArgs {
    /// A folder of man pages: `man1` is made inside it, such as ~/.local/share/man.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
