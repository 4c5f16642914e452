"""A real profile read back, and the profiles of two commits with different tunables side by side."""

import shlex

from . import lab, ncu

# What ncu prints of a report: one row for a launch, and one row for a counter.
SHAPES = {"-ncu-raw.csv": ["--page", "raw"], "-ncu-details.csv": ["--page", "details", "--print-metric-name", "name"]}


def run(session):
    if not ncu.is_there(session):
        return
    plan = session.plan["profile"]
    found = lab.kernels(session)
    benchmark, config = plan["benchmark"], plan["config"]
    before = found.git("rev-parse", "HEAD")
    for other, its_config in [(benchmark, config), *plan["also"].items()]:
        what = f"profile of {other} {its_config}"
        if session.left() < 20 and other != benchmark and not session.dry_run:
            session.not_reached(what, "the time of this part is over")
            continue
        said = ncu.profiled(session, found, other, its_config)
        if isinstance(said, str):
            if any(words in said for words in ncu.NOT_HERE):
                session.skip(said)
                return
            session.say(f"  {what}: {said}: {session.expect(False, what)}")
            if other == benchmark:
                return
        elif said:
            session.say(f"  {what}: {len(said['metrics'])} counters of {said['kernel']}: {session.expect(True, what)}")
            if other == benchmark:
                _keep_csv(session, found, said)
    _diff(session, found, (benchmark, config, before), plan["edit"])


def _diff(session, found, of, edit):
    """As a user does it: the default of a tunable is edited in the manifest, committed, profiled, compared."""
    benchmark, config, before = of
    manifest = found.folder / f"{benchmark}.toml"
    text, what = manifest.read_text(), f"profiles of two tunings of {benchmark}"
    session.say(f"  {edit[0]}  ->  {edit[1]}")
    if text.count(edit[0]) != 1:
        session.say(f"  the line to edit stands {text.count(edit[0])} times in {manifest.name}: {session.expect(False, what)}")
        return
    manifest.write_text(text.replace(edit[0], edit[1]))
    after = found.commit("another default")
    said = ncu.profiled(session, found, benchmark, config)
    if isinstance(said, str):
        session.say(f"  the second: {said}: {session.expect(False, what)}")
    ran = found.ratchet("profile", "--diff", before, after)
    # What comes later is about the shipped kernels.
    found.git("checkout", "-q", before)
    if ran is None:
        return
    for line in (ran.out if ran.code == 0 else ran.err).splitlines():
        session.say(f"    {line}")
    session.say(f"  {what}: {session.expect(ran.code == 0 and bool(ran.out.strip()), what)}")


def _keep_csv(session, found, said):
    """ncu's own words, in both of its shapes: material for tests of the reader."""
    report = (said.get("report") or {}).get("path")
    if report is None:
        session.say("  there is no report to keep the CSV of")
        return
    for ending, page in SHAPES.items():
        command = ["--csv", *page, "--print-units", "base", "--print-fp"]
        ran = session.run([session.ncu, "--import", str(found.folder / report), *command], found.folder, seconds=30)
        if ran.code == 0 and ran.out:
            session.result(ending).write_text(ran.out)
            session.say(f"  kept {session.result(ending).name}: {shlex.join(['ncu', '--import', 'REPORT', *command])}")
        else:
            session.say(f"  {shlex.join(command)} gave nothing to keep: {ran.last_line()}")
