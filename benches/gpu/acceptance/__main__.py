"""The parts in their order, and what is left to do when one of them breaks."""

import argparse
import pathlib
import shlex
import signal
import subprocess
import sys
import tomllib
import traceback

from . import cheats, facts, kernels, ncu, profile, repeated, roofline, torch_beside, tune
from .session import ROOT, Session

USUAL = ROOT / "target/release/git-ratchet"
# The most important first: what time does not suffice for is at the end.
PARTS = {
    "cheats": ("Kernels that cheat", cheats),
    "kernels": ("Every kernel at every config: verified, timed, recorded", kernels),
    "repeated": ("A/A: the same kernels again in fresh processes (median times)", repeated),
    "torch": ("Beside PyTorch: the same work, cold; do_bench is triton's", torch_beside),
    "ncu": ("Our medians beside Nsight Compute's gpu__time_duration", ncu),
    "profile": ("A profile read back, and two tunings side by side", profile),
    "roofline": ("Roofline", roofline),
    "tune": ("Tuning within a budget", tune),
}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/gpu-acceptance", description="What only a real GPU can show.")
    parser.add_argument("ratchet", nargs="?", type=pathlib.Path, default=USUAL, metavar="GIT-RATCHET")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--only", type=parts, default=list(PARTS), metavar="PARTS", help="some of: " + ",".join(PARTS))
    parser.add_argument("--plan", type=pathlib.Path, default=pathlib.Path(__file__).with_name("plan.toml"), help="another plan.toml")
    return parser.parse_args()


def parts(text):
    # By the kernel's name, too, as one thinks of it.
    asked = ["torch" if name == "attention" else name for name in text.split(",")]
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in asked]


def built(ratchet):
    """The binary; the usual one is built where it is not there."""
    if not ratchet.exists():
        subprocess.run(["cargo", "build", "--locked", "--release", "--bin", "git-ratchet"], cwd=ROOT, check=True)
    return ratchet


def run_part(session, name):
    title, part = PARTS[name]
    planned, began = session.plan["seconds"][name], session.elapsed()
    session.begin(planned)
    session.say(f"\n{title}")
    try:
        part.run(session)
    except Exception as error:  # One part's mistake must not cost the others their results.
        session.log(traceback.format_exc())
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{pathlib.Path(where.filename).name}:{where.lineno}"
        session.say(f"  {session.expect(False, f'part {name}')}: {type(error).__name__}: {error} ({place})")
    if not session.dry_run:
        session.say(f"  {session.elapsed() - began:.0f} s, planned for {planned} s")


def stop(_number, _frame):
    raise SystemExit(143)


def main():
    given = arguments()
    # A killed run ends its children and keeps what was said.
    signal.signal(signal.SIGTERM, stop)
    ratchet = given.ratchet if given.dry_run else built(given.ratchet)
    session = Session(tomllib.loads(given.plan.read_text()), ratchet, given.dry_run)
    try:
        session.begin(session.plan["seconds"]["facts"])
        if facts.run(session, shlex.join(["scripts/gpu-acceptance", *sys.argv[1:]])):
            if not given.dry_run:
                session.keep_results()
            # Some parts alone may take the time of all.
            session.begin(sum(session.plan["seconds"][name] for name in PARTS if name not in given.only))
            for name in given.only:
                run_part(session, name)
        return session.close()
    finally:
        session.clean_up()


if __name__ == "__main__":
    sys.exit(main())
