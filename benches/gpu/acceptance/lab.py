"""Scratch repositories with kernels, and `git ratchet` in them, as a user has it."""

import json
import pathlib
import shutil
import subprocess
import tomllib

from .session import ROOT


def label(config):
    """The name of a config, or its parameters."""
    return config.get("config") or " ".join(f"{key}={value}" for key, value in config.items())


def selector(name):
    """What `--config` takes for a label."""
    return name if "=" in name else f"config={name}"


class Lab:
    """A committed repository whose ratchet.toml names these benchmarks: name, and lines besides its manifest."""

    def __init__(self, session, name, sources, benchmarks):
        self.session = session
        self.folder = session.scratch / name
        self.benchmarks = [benchmark for benchmark, _ in benchmarks]
        shutil.copytree(sources, self.folder)
        blocks = [f'[[benchmark]]\nname = "{benchmark}"\nkernel = "{benchmark}.toml"\n{more}' for benchmark, more in benchmarks]
        sampling = session.plan.get("sampling", {})
        values = "".join(f"{key} = {json.dumps(value)}\n" for key, value in sampling.items())
        (self.folder / "ratchet.toml").write_text(("[sampling]\n" + values if values else "") + "\n".join(blocks))
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "acceptance")
        self.git("config", "user.email", "acceptance@example.org")
        self.commit("as shipped")

    def git(self, *arguments):
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("-c", "commit.gpgSign=false", "commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def ratchet(self, *arguments, seconds=None, at_least=1.0):
        return self.session.run([self.session.ratchet, *arguments], self.folder, seconds, at_least=at_least)

    def points(self):
        """Labels of every config by benchmark; none in a dry run, which asks nobody."""
        if self.session.dry_run:
            return {benchmark: [] for benchmark in self.benchmarks}
        listed = subprocess.run(
            [self.session.ratchet, "bench", "--list", "--json"], cwd=self.folder, check=True, capture_output=True, text=True
        )
        points = {}
        for point in json.loads(listed.stdout)["points"]:
            points.setdefault(point["benchmark"], []).append(label(point["config"]))
        return points

    def configs(self, benchmark):
        """The named configs of a manifest, by name."""
        manifest = tomllib.loads((self.folder / f"{benchmark}.toml").read_text())
        return {config["name"]: config for config in manifest.get("config", []) if "name" in config}

    def bench(self, *arguments, seconds=None):
        ran = self.ratchet("bench", "--json", *arguments, seconds=seconds)
        return Bench(ran) if ran else None


class Bench:
    """What `bench --json` said."""

    def __init__(self, ran):
        self.ran = ran
        # Values by benchmark, label and metric: measured, and of the machine code.
        self.timed, self.code, self.barred, self.warnings = {}, {}, {}, {}
        try:
            said = json.loads(ran.out)
        except ValueError:
            said = {}
        self.failures = said.get("failures", [])
        for found, runs in ((self.timed, said.get("kernels", [])), (self.code, said.get("code", []))):
            for result in (result for run in runs for result in run["results"]):
                point = result["benchmark"], label(result["config"])
                found.setdefault(point, {})[result["metric"]] = result["statistics"]["median"]
                if result["barred"]:
                    self.barred[point] = result["barred"]
                if result["metric"] == "time" and result["warnings"]:
                    self.warnings[point] = result["warnings"]

    def remarks(self):
        return [line for line in self.ran.err.splitlines() if line.startswith(("warning:", "note:"))]


def cheats(session):
    """A lab with the kernels that cheat."""
    plan = session.plan["cheats"]
    benchmarks = []
    for group in plan["group"]:
        timeout = f'timeout = "{group["timeout"]}"\n' if "timeout" in group else ""
        benchmarks += [(name, _archs(session, ROOT / plan["folder"], name) + timeout) for name in group["kernels"]]
    return _lab(session, "cheats", plan["folder"], benchmarks)


def kernels(session):
    """A lab with every shipped kernel and config."""
    plan = session.plan["kernels"]
    folder = ROOT / plan["folder"]
    names = sorted(path.stem for path in folder.glob("*.toml"))
    names.sort(key=lambda name: plan["first"].index(name) if name in plan["first"] else len(plan["first"]))
    return _lab(session, "kernels", plan["folder"], [(name, _archs(session, folder, name)) for name in names])


def repeated(session):
    """A lab with the points that are measured again and again, so that one call measures them all."""
    folder = session.plan["kernels"]["folder"]
    points = session.plan["repeated"]["kernels"].items()
    lines = [(name, _archs(session, ROOT / folder, name) + f"configs = [{json.dumps(config)}]\n") for name, config in points]
    return _lab(session, "repeated", folder, lines)


def _lab(session, name, folder, benchmarks):
    if name not in session.labs:
        session.labs[name] = Lab(session, name, ROOT / folder, benchmarks)
    return session.labs[name]


def _archs(session, folder, name):
    """The line that keeps `bench` from compiling for GPUs that are not here."""
    number = session.plan.get("arch")
    if number is None:
        return ""
    manifest = tomllib.loads((pathlib.Path(folder) / f"{name}.toml").read_text())
    specific = f"sm_{number}a"
    has_variant = any(variant.get("arch") == specific for variant in manifest.get("variant", []))
    return f'archs = ["{specific if has_variant else f"sm_{number}"}"]\n'


def time_of(session, benchmark, config):
    """The median of a point: what is known of it, or measured now."""
    for known in (session.repeated, session.measured):
        if (benchmark, config) in known:
            return known[benchmark, config]
    arguments = ["--dry-run", "--max-time", session.plan["kernels"]["max_time"]]
    found = kernels(session).bench(*arguments, benchmark, "--config", selector(config))
    if found:
        session.measured.update({point: metrics["time"] for point, metrics in found.timed.items() if "time" in metrics})
    return session.measured.get((benchmark, config))
