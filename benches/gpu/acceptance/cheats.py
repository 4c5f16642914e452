"""Kernels that cheat, hang or crash: each is caught, says why, and costs nobody else a result."""

from . import lab


def run(session):
    plan = session.plan["cheats"]
    found = lab.cheats(session)
    table = session.columns(("kernel", 14), ("exit", 4), ("wanted", 6), ("timed", 5), ("said", 80), ("", 0))
    for group in plan["group"]:
        bench = found.bench("--dry-run", "--max-time", plan["max_time"], *group["kernels"])
        if bench is None:
            continue
        verdicts = []
        for name, words in group["kernels"].items():
            is_timed = any(point[0] == name for point in bench.timed)
            barred = next((why for point, why in bench.barred.items() if point[0] == name), "")
            failed = next((failure for failure in bench.failures if failure.startswith(f"{name} [")), "")
            said = failed or barred
            # 0: timed, and nothing said of it. 1: timed and barred. 4: a failure.
            fits = {0: is_timed and not said, 1: is_timed and bool(barred), 4: bool(failed)}[group["exit"]]
            holds = fits and bench.ran.code == group["exit"] and words in said
            code = "-" if bench.ran.code is None else bench.ran.code
            line = said.splitlines()[0].split("]: ", 1)[-1] if said else ""
            verdicts.append(session.expect(holds, f"cheat {name}"))
            table.row(name, code, group["exit"], "yes" if is_timed else "no", line[:80], verdicts[-1])
        if "FAILED" in verdicts:
            for line in bench.ran.errors() or [bench.ran.last_line()]:
                session.say(f"    {line[:300]}")
