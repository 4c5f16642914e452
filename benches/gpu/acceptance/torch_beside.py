"""Our times beside what PyTorch calls for the same work; see torch_times.py for how those are taken."""

import json
import sys

from . import lab
from .session import ROOT, micro


def run(session):
    plan = session.plan["torch"]
    found = lab.kernels(session)
    points = []
    for point in plan["points"]:
        config = found.configs(point["benchmark"]).get(point["config"], {})
        points.append({**config, "kind": point["kind"], "benchmark": point["benchmark"], "config": point["config"]})
    ran = session.run([sys.executable, str(ROOT / plan["script"])], ROOT, given=json.dumps(points))
    if ran is None:
        return
    said = _lines(ran.out)
    if not said and ran.code == 1 and "Traceback" not in ran.err:
        # It says itself that there is no PyTorch, or that PyTorch sees no GPU.
        session.skip(ran.last_line())
        return
    for versions in said[:1]:
        session.say("  " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    columns = [("kernel", 15), ("config", 20), ("by", 22), ("ours", 12), ("PyTorch", 12), ("do_bench", 12), ("event loop", 12)]
    table = session.columns(*columns, ("PyTorch / ours", 14), ("", 0))
    for point in plan["points"]:
        _rows(session, table, point, said[1:], ran)


def _rows(session, table, point, said, ran):
    benchmark, config, least = point["benchmark"], point["config"], point.get("least")
    what = f"{benchmark} {config} beside PyTorch"
    ways = [way for way in said if (way["benchmark"], way["config"]) == (benchmark, config)]
    timed = [way for way in ways if "cold" in way]
    own = lab.time_of(session, benchmark, config) if timed else None
    if not own:
        why = "PyTorch has no way to do it" if ways and not timed else "no time of ours" if timed else ran.last_line()
        if least:
            session.not_reached(what, why)
        else:
            session.say(f"  {benchmark} {config}: {why}")
        return
    best = min(timed, key=lambda way: way["cold"])
    for way in ways:
        if "cold" not in way:
            table.row(benchmark, config, way["by"], micro(own), "-", "-", "-", "-", way["error"][:60])
            continue
        share = way["cold"] / own
        holds = session.expect(share >= least, what) if way is best and least else ""
        mark = f" (least {least:.2f})" if way is best and least else " (best)" if way is best else ""
        times = [micro(way.get(name)) for name in ("cold", "do_bench", "loop")]
        table.row(benchmark, config, way["by"], micro(own), *times, f"{share:.3f}", (holds + mark).strip())


def _lines(text):
    """Whole lines only: the last may have been cut off."""
    lines = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            pass
    return lines
