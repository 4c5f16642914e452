"""A/A: the same kernels in fresh processes, and how far their medians spread."""

import statistics

from . import lab
from .session import micro


def run(session):
    plan = session.plan["repeated"]
    found = lab.repeated(session)
    seen, errors, rounds, longest = {}, [], 0, 0.0
    for _ in range(plan["runs"]):
        # A round that would be stopped in its middle is not begun.
        if session.left() < 1.1 * longest and not session.dry_run:
            session.say(f"  {rounds} of {plan['runs']} runs fit into the time of this part")
            break
        bench = found.bench("--dry-run", "--max-time", "1s")
        if bench is None:
            continue
        rounds, longest = rounds + 1, max(longest, bench.ran.seconds)
        for point, metrics in bench.timed.items():
            seen.setdefault(point, []).append(metrics["time"])
        errors += [line for line in bench.ran.errors() if line not in errors]
    for line in errors:
        session.say(f"    {line[:300]}")
    table = session.columns(("kernel", 15), ("config", 24), ("runs", 4), ("median", 13), ("spread", 8), ("", 0))
    for point in ((name, config) for name, config in plan["kernels"].items() if not session.dry_run):
        medians = seen.get(point, [])
        what = f"spread of {point[0]}"
        if len(medians) < plan["fewest_runs"]:
            session.not_reached(what, f"{len(medians)} runs")
            continue
        centre = session.repeated[point] = statistics.median(medians)
        spread = 100 * (max(medians) - min(medians)) / centre
        is_judged = centre > plan["shortest_judged_seconds"]
        holds = session.expect(spread <= plan["worst_spread_percent"], what) if is_judged else "too short to judge"
        table.row(*point, len(medians), micro(centre), f"{spread:.3f} %", holds)
