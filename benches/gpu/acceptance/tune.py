"""Tuning within a budget: the budget holds, and what is suggested was proven in pairs."""

import json

from . import lab
from .session import micro

# Less is no search.
FEWEST_SECONDS = 10
# For the start of the program, and a batch that is under way.
OVERTIME_SECONDS = 15


def run(session):
    plan = session.plan["tune"]
    seconds = plan["seconds"] if session.dry_run else min(plan["seconds"], int(session.left()) - OVERTIME_SECONDS + 5)
    if seconds < min(FEWEST_SECONDS, plan["seconds"]):
        session.not_reached("tune", f"{session.left():.0f} s are left")
        return
    command = ["tune", plan["benchmark"], "--config", plan["config"], "--budget", f"{seconds}s", "--seed", str(plan["seed"]), "--json"]
    command += [word for condition in plan.get("restrict", []) for word in ("--restrict", condition)]
    ran = lab.kernels(session).ratchet(*command)
    if ran is None:
        return
    try:
        found = json.loads(ran.out)
    except ValueError:
        session.say(f"  {session.expect(False, 'tune')}: {ran.last_line()}")
        return
    _points(session, found)
    _pairs(session, found)
    holds = session.expect(ran.code == 0 and ran.seconds <= seconds + OVERTIME_SECONDS, "the budget of tune")
    session.say(f"  took {ran.seconds:.0f} s of {seconds}: {holds}")


def _points(session, found):
    table = session.columns(("point", 66), ("time", 13), ("registers", 9), ("shared", 8), ("occupancy", 9))
    shown = [point for point in found["points"] if point["score"]][:5]
    shown += [point for point in found["points"] if point["default"] and point not in shown]
    for point in shown:
        name = _tunables(point) + (" (default)" if point["default"] else "")
        time = micro(point["score"]) if point["score"] else point["results"][-1].get("failure", "-")
        code = point["code"] or {}
        table.row(name, time, *(code.get(key, "-") for key in ("registers", "shared_bytes", "occupancy_percent")))
    failures = [result["failure"] for point in found["points"] for result in point["results"] if "failure" in result]
    counts = ", ".join(f"{failures.count(cause)} {cause}" for cause in sorted(set(failures))) or "none"
    session.say(f"  {len(found['points'])} of {found['space']['valid']} valid points, {found['search']['ended']}; failures: {counts}")


def _pairs(session, found):
    for finalist in found["finalists"]:
        for pair in finalist["pairs"]:
            session.say(f"  pairs: {_tunables(finalist)}: {pair['change_percent']:+.2f} %, p {pair['p']:.2g}, {pair['pairs']} pairs")
    suggestion = found["suggestion"]
    gain = f", {suggestion['gain_percent']:+.2f} %" if suggestion else ""
    session.say("  suggested: " + (f"{_tunables(suggestion)}{gain}" if suggestion else "the default stands"))


def _tunables(of):
    return " ".join(f"{key}={value}" for key, value in of["tunables"].items())
