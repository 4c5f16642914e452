"""One run of the acceptance: its clock, the programs it starts, what it says and where that is kept."""

import dataclasses
import datetime
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
# A program that is told to stop gets this long to clean up.
PATIENCE_SECONDS = 5


@dataclasses.dataclass
class Ran:
    """How a program ended: `code` is None where it was stopped for want of time."""

    code: int | None
    out: str
    err: str
    seconds: float

    def last_line(self):
        lines = (self.err.strip() or self.out.strip()).splitlines()
        said = lines[-1] if lines else "it said nothing"
        if self.code is None:
            return f"stopped after {self.seconds:.0f} s"
        return f"ended by signal {-self.code}" if self.code < 0 else said

    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith(("error:", "hint:"))]


class Session:
    def __init__(self, plan, ratchet, dry_run):
        self.plan = plan
        self.ratchet = str(pathlib.Path(ratchet).resolve())
        self.dry_run = dry_run
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="gpu-acceptance-"))
        # Medians in seconds by benchmark and config, the best known first: of repeated runs, of one run.
        self.repeated, self.measured = {}, {}
        self.labs = {}
        # Whether the lab of the kernels has results in its notes.
        self.has_records = False
        # Nsight Compute, or why there is none.
        self.ncu, self.no_ncu = None, None
        self._held, self._failed, self._not_reached = [], [], []
        self._began = time.monotonic()
        self._deadline = self._began
        self._said, self._logged = [], []
        self._text = self._log = self._stem = None

    # Time.

    def begin(self, seconds):
        """The next part begins, and has its seconds besides what the parts before it left."""
        self._deadline += seconds

    def left(self):
        return self._deadline - time.monotonic()

    def elapsed(self):
        return time.monotonic() - self._began

    # What is said. From `keep_results` on every line is in a file as soon as it is said.

    def keep_results(self):
        folder = pathlib.Path(os.environ.get("ACCEPTANCE_RESULTS", ROOT / "docs/results"))
        folder.mkdir(parents=True, exist_ok=True)
        self._stem = str(folder / f"gpu-{datetime.date.today():%Y-%m-%d}")
        self._text = open(self.result(".txt"), "w", encoding="utf-8", buffering=1)
        self._log = open(self.result("-log.txt"), "w", encoding="utf-8", buffering=1)
        self._text.writelines(line + "\n" for line in self._said)
        self._log.writelines(text + "\n" for text in self._logged)

    def result(self, ending):
        """A file of the results."""
        return pathlib.Path(self._stem + ending)

    def say(self, line=""):
        print(line, flush=True)
        self._said.append(line)
        if self._text:
            self._text.write(line + "\n")

    def log(self, text):
        self._logged.append(text)
        if self._log:
            self._log.write(text + "\n")

    def columns(self, *columns):
        return Columns(self, columns)

    # What is expected.

    def expect(self, holds, what):
        (self._held if holds else self._failed).append(what)
        return "ok" if holds else "FAILED"

    def not_reached(self, what, why):
        """Something that was to be shown and could not be, through no fault that is known."""
        self._not_reached.append(what)
        self.say(f"  NOT REACHED: {what}: {why}")

    def skip(self, why):
        self.say(f"  SKIPPED: {why}")

    def close(self):
        """The summary and the exit code: 1 where something failed, 3 where something was not reached."""
        if not self.dry_run:
            self.say(f"\n{len(self._held)} expectations hold, {len(self._failed)} fail, {len(self._not_reached)} not reached")
            for word, whats in (("FAILED", self._failed), ("NOT REACHED", self._not_reached)):
                for what in whats:
                    self.say(f"  {word}: {what}")
            self.say(f"took {self.elapsed():.0f} s")
        return 1 if self._failed else 3 if self._not_reached else 0

    def clean_up(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    # Programs.

    def run(self, command, folder, seconds=None, given="", at_least=1.0):
        """Runs a program until it ends, or its seconds or those of the part are over. None in a dry run."""
        shown = shlex.join([pathlib.Path(command[0]).name, *command[1:]])
        if self.dry_run:
            self.say(f"  $ {shown}")
            return None
        limit = max(at_least, min(seconds or self.left(), self.left()))
        began = time.monotonic()
        # Files, not pipes: what a program said before it was stopped is kept.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True
            )
            try:
                code = _wait(process, given, limit)
            except BaseException:  # This run is being stopped itself.
                _interrupt(process)
                raise
            finally:
                _stop(process)
            ran = Ran(code, _text_of(out), _text_of(err), time.monotonic() - began)
        ending = "stopped" if code is None else f"exit {code}"
        self.log(f"[{self.elapsed():6.1f} s] $ {shown}\n  {ending} after {ran.seconds:.1f} s")
        self.log("\n".join(f"  | {line}" for line in ran.err.splitlines()))
        return ran


def _wait(process, given, limit):
    """The exit code; None where the limit came first and the program had to be told to stop."""
    try:
        process.communicate(given.encode(), timeout=limit)
        return process.returncode
    except subprocess.TimeoutExpired:
        _interrupt(process)
        return None


def _interrupt(process):
    """As Ctrl-C does it: what was measured is kept, and the program ends its children itself."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        pass


def _stop(process):
    """Whatever is left of the program and its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _text_of(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace")


class Columns:
    """A table that is said row by row. A column is its name and width."""

    def __init__(self, session, columns):
        self._session = session
        self._widths = [width for _, width in columns]
        self.row(*(name for name, _ in columns))

    def row(self, *cells):
        if not self._session.dry_run:
            padded = (str(cell).ljust(width) for cell, width in zip(cells, self._widths, strict=True))
            self._session.say("  " + "  ".join(padded).rstrip())


def micro(seconds):
    return f"{seconds * 1e6:.2f} us" if seconds else "-"
