"""Our medians beside Nsight Compute's gpu__time_duration, which times the same launches in its own way.

The kernel is launched alone, by `git ratchet profile`: under the profiler every launch waits for its end, so the
stream must not be held as it is for timing.
"""

import json

from . import lab
from .session import micro

DURATION = "gpu__time_duration.sum"
# Words of failures that lie in the surroundings.
NOT_HERE = ["ERR_NVGPUCTRPERM", "LibraryNotLoaded", "not supported", "NotSupported", "no Nsight Compute", "was not found"]


def run(session):
    if not is_there(session):
        return
    plan = session.plan["ncu"]
    found = lab.kernels(session)
    table = session.columns(("kernel", 15), ("config", 24), ("ours", 13), ("ncu", 13), ("difference", 10), ("launches", 8), ("", 0))
    for benchmark, config in session.plan["repeated"]["kernels"].items():
        what = f"{benchmark} beside ncu"
        if session.left() < 5 and not session.dry_run:
            session.not_reached(what, "the time of this part is over")
            continue
        arguments = ["--dry-run", "--set", "basic", "--launch-count", str(plan["launches"])]
        said = profiled(session, found, benchmark, config, *arguments)
        if said is None:
            continue
        if isinstance(said, str):
            if any(words in said for words in NOT_HERE):
                session.skip(said)
                return
            session.say(f"  {what}: {said}: {session.expect(False, what)}")
            continue
        theirs = said["metrics"].get(DURATION, {}).get("value")
        ours = lab.time_of(session, benchmark, config)
        if not ours or not theirs:
            session.not_reached(what, "there is no time of ours" if theirs else f"no {DURATION} came back")
            continue
        percent = 100 * (ours / theirs - 1)
        allowed = plan["worst_percent"] / 100 * theirs + plan["launch_seconds"]
        is_judged = theirs > session.plan["repeated"]["shortest_judged_seconds"]
        holds = session.expect(abs(ours - theirs) <= allowed, what) if is_judged else "too short to judge"
        table.row(benchmark, config, micro(ours), micro(theirs), f"{percent:+.2f} %", said["launches"], holds)


def is_there(session):
    if not (session.dry_run or session.ncu):
        session.skip(session.no_ncu)
        return False
    return True


def profiled(session, found, benchmark, config, *arguments):
    """The profile of a point, or why there is none; None in a dry run."""
    ran = found.ratchet("profile", benchmark, "--config", lab.selector(config), "--json", *arguments)
    if ran is None:
        return None
    try:
        said = json.loads(ran.out)
        return said["profiles"][0] if said["profiles"] else said["failures"][0]["message"]
    except (ValueError, LookupError):
        return ran.last_line()
