"""Every shipped kernel at every config: verified, timed, recorded beside what its machine code tells."""

import json

from . import lab
from .session import micro

# What is read back at the end takes this long at most.
READING_SECONDS = 6
# A kernel may take so many times the share of its points, so that a slow one does not take the time of all.
GENEROSITY = 3
# Facts of the testbed that a reader of times wants to know.
FACTS = ["gpu", "gpu_arch", "driver", "cuda_driver", "nvrtc", "gpu_clocks", "gpu_clock_max", "gpu_memory_clock_max"]
FACTS += ["gpu_power_limit", "gpu_ecc", "gpu_mig", "gpu_l2", "gpu_multiprocessors"]


def run(session):
    found = lab.kernels(session)
    points = found.points()
    session.has_records = True
    columns = [("kernel", 15), ("config", 24), ("exit", 4), ("time", 13), ("throughput", 13), ("bandwidth", 10)]
    columns += [("of roofline", 11), ("registers", 9), ("spilled", 7), ("", 0)]
    table = session.columns(*columns)
    remarks, warned, timed = [], [], set()
    points_left = sum(len(labels) for labels in points.values())
    for benchmark, labels in points.items():
        if session.left() < READING_SECONDS + 5 and not session.dry_run:
            session.not_reached(f"kernel {benchmark}", "the time of this part is over")
            continue
        share = min(1.0, GENEROSITY * len(labels) / max(1, points_left))
        points_left -= len(labels)
        limit = share * (session.left() - READING_SECONDS)
        bench = found.bench("--max-time", session.plan["kernels"]["max_time"], benchmark, seconds=limit)
        if bench is None:
            continue
        for name in labels:
            _row(session, table, (benchmark, name), bench)
            warned += [f"{benchmark} {name}: {warning}" for warning in bench.warnings.get((benchmark, name), [])]
        remarks += [line for line in bench.remarks() if line not in remarks]
        timed.update(point for point, metrics in bench.timed.items() if "time" in metrics)
        for line in bench.ran.errors():
            session.say(f"    {line[:300]}")
    for line in [*remarks, *warned]:
        session.say(f"  {line[:200]}")
    if not session.dry_run:
        _recorded(session, found, timed)
    _clocks(session, found)


def _row(session, table, point, bench):
    benchmark, name = point
    values, code = bench.timed.get(point, {}), bench.code.get(point, {})
    if "time" in values:
        session.measured[point] = values["time"]
    elif bench.ran.code is None:
        session.not_reached(f"kernel {benchmark} {name}", "the time of this kernel is over")
        return
    holds = "time" in values and point not in bench.barred
    shown = lambda metric, unit, scale: f"{values[metric] / scale:.1f} {unit}" if metric in values else "-"
    ended = "-" if bench.ran.code is None else bench.ran.code
    cells = [benchmark, name, ended, micro(values.get("time")), shown("throughput", "TFLOP/s", 1e12)]
    cells += [shown("bandwidth", "GB/s", 1e9), shown("roofline", "%", 1)]
    cells += [f"{code[metric]:.0f}" if metric in code else "-" for metric in ("registers", "spill_bytes")]
    table.row(*cells, session.expect(holds, f"kernel {benchmark} {name}"))


def _recorded(session, found, timed):
    """In the note stand the times, the exact metrics of the same points, and the facts of the testbed."""
    ran = found.ratchet("show", "--json")
    try:
        shown = json.loads(ran.out)
    except ValueError:
        session.expect(False, f"show: {ran.last_line()}")
        return
    exact = {(record["benchmark"], lab.label(record["config"])) for record in shown["records"] if record["metric"] == "registers"}
    holds = session.expect(bool(timed) and timed <= exact, "exact metrics of the machine code beside every time")
    session.say(f"  recorded: {len(timed)} timed points, {len(timed & exact)} of them with exact metrics of their code: {holds}")
    facts = next((run["facts"] for run in shown["runs"] if "gpu" in run["facts"]), {})
    session.say("  facts: " + ", ".join(f"{name} {facts[name]}" for name in FACTS if name in facts))


def _clocks(session, found):
    """Clocks are never locked here: this is somebody's card. A wish that cannot be met is refused before it is touched."""
    benchmark = next(iter(found.points()))
    ran = found.ratchet("bench", "--dry-run", "--lock-clocks=fast", benchmark)
    if ran:
        holds = ran.code == 2 and "is no clock" in ran.err
        session.say(f"  --lock-clocks=fast: {ran.last_line()}: {session.expect(holds, 'a clock that is none is refused')}")
        session.say("  clocks were left as they are; nothing here locks them")
