"""The roofline of this GPU by its measured ceilings: a table, and the pictures beside the results."""

from . import lab
from .session import micro


def run(session):
    found = lab.kernels(session)
    if not session.has_records and not session.dry_run:
        # Asked for alone: the ceilings and what stands below them are measured first.
        needs = [name for name in session.plan["roofline"]["needs"] if (found.folder / f"{name}.toml").is_file()]
        bench = found.bench("--max-time", session.plan["kernels"]["max_time"], *needs)
        session.say(f"  measured {len(bench.timed)} points, the longest {micro(max(_times(bench), default=0))}")
    ran = found.ratchet("roofline")
    if ran is None:
        return
    for line in (ran.out if ran.code == 0 else ran.err).splitlines():
        session.say(f"    {line}")
    session.expect(ran.code == 0 and bool(ran.out.strip()), "roofline")
    for ending in (".png", ".svg"):
        path = session.result(f"-roofline{ending}")
        ran = found.ratchet("roofline", "--output", str(path))
        holds = session.expect(ran.code == 0 and path.is_file() and path.stat().st_size > 0, f"roofline as {ending[1:]}")
        session.say(f"  {path.name}: {holds}" + ("" if ran.code == 0 else f": {ran.last_line()}"))


def _times(bench):
    return [metrics["time"] for metrics in bench.timed.values() if "time" in metrics]
