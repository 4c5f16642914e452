//! Programs that are listened to while they run, several at once: what they print is handed on as it comes.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

/// A program to listen to.
#[derive(Debug, Clone, Copy)]
pub struct Relayed<'a> {
    /// The program and its arguments.
    pub argv: &'a [String],
    /// Where it runs.
    pub directory: &'a Path,
    /// Variables that are taken out of its environment.
    pub without: &'a [String],
}

/// What comes of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It printed these bytes.
    Out(Vec<u8>),
    /// It printed this line on its standard error.
    Err(String),
    /// It ended, and everything that it printed was handed on before.
    Ended,
}

/// Starts a program in a process group of its own, so that a terminal's Ctrl-C does not reach it, with nothing on its standard
/// input. What it says goes to `heard` under its number; whoever listens also says when it is to stop.
///
/// # Errors
/// It cannot be started.
pub fn relay(program: Relayed<'_>, number: usize, heard: &Sender<(usize, Said)>) -> io::Result<()> {
    let (name, arguments) = program.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    #[expect(clippy::disallowed_methods, reason = "what measures elsewhere is started here")]
    let mut command = Command::new(name);
    command.args(arguments).current_dir(program.directory).stdin(Stdio::null());
    for name in program.without {
        command.env_remove(name);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (heard_out, heard_err, heard) = (heard.clone(), heard.clone(), heard.clone());
    // Where nobody listens any more the program must not wait for a full pipe, so everything is read to its end.
    let out = thread::spawn(move || {
        out.map(|mut out| {
            let mut buffer = vec![0; 1 << 14];
            while let Ok(length @ 1..) = out.read(&mut buffer) {
                let _ = heard_out.send((number, Said::Out(buffer[..length].to_vec())));
            }
        })
    });
    let err = thread::spawn(move || {
        let lines = err.map(|err| BufReader::new(err).split(b'\n')).into_iter().flatten().map_while(Result::ok);
        for line in lines {
            let _ = heard_err.send((number, Said::Err(String::from_utf8_lossy(&line).into_owned())));
        }
    });
    thread::spawn(move || {
        // Neither of the readers can panic, and a program that cannot be waited for has ended.
        let _ = (out.join(), err.join(), child.wait());
        let _ = heard.send((number, Said::Ended));
    });
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn everything_is_heard_before_the_end() {
        let (heard, hearing) = channel();
        let argv = ["sh", "-c", "echo out; printf 'one\\ntwo' >&2; test -z \"$HOME\" || exit 9; cat"].map(str::to_owned);
        let program = Relayed { argv: &argv, directory: Path::new("/"), without: &["HOME".to_owned()] };
        relay(program, 7, &heard).unwrap();
        drop(heard);
        let mut all: Vec<(usize, Said)> = hearing.iter().collect();
        assert_eq!(all.pop(), Some((7, Said::Ended)));
        let errors: Vec<_> = all.iter().filter(|(_, said)| matches!(said, Said::Err(_))).map(|(_, said)| said.clone()).collect();
        assert_eq!(errors, [Said::Err("one".to_owned()), Said::Err("two".to_owned())]);
        assert!(all.contains(&(7, Said::Out(b"out\n".to_vec()))), "{all:?}");
    }
}
