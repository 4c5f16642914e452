"""The parts of scripts/gpu-acceptance. Standard library only; PyTorch, triton and ncu are asked where they are."""

import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUDGET_SECONDS = 8 * 60
# Benchmark and config: what is measured, and measured again.
KERNELS = [
    ("vector_add", "N=67108864 dtype=f32"),
    ("reduce", "N=268435456 dtype=f32"),
    ("softmax", "attention_1k"),
    ("copy", "copy_256m"),
    ("gemm", "square_4k"),
    ("flash_attention", "training_512"),
]
# Kernel, exit code of bench, what its error says.
CHEATS = [
    ("honest", 0, None),
    ("prints", 0, None),
    ("half", 1, "NaN"),
    ("nan", 1, "NaN"),
    ("previous", 1, "wrong result"),
    ("writes_past", 1, "wrote outside"),
    ("reads_past", 1, "reads past an end"),
    ("changes_input", 1, "changed its input"),
    ("racy", 1, "different bits"),
    ("by_pointer", 1, "different bits"),
    ("by_content", 1, None),
    ("boasts", 1, "impossible"),
    ("crash", 4, "ILLEGAL_ADDRESS"),
    ("hang", 4, "killed after"),
]
RUNS = 5
WORST_SPREAD_PERCENT = 0.5
WORST_NCU_PERCENT = 2.0
# Of the speed of the best that PyTorch does.
LEAST_SHARE = {"copy": 0.95, "gemm": 0.60}
SHORTEST_JUDGED_SECONDS = 50e-6
TUNED = "gemm"
TUNE_SECONDS = 45


class Acceptance:
    def __init__(self, ratchet, dry_run):
        self.ratchet = str(pathlib.Path(ratchet).resolve())
        self.dry_run = dry_run
        self.began = time.monotonic()
        self.lines = []
        self.failed = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gpu-acceptance-"))

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def left(self):
        return BUDGET_SECONDS - (time.monotonic() - self.began)

    def run(self, command, folder, timeout=180):
        if self.dry_run:
            self.say("  $ " + " ".join(command))
            return None
        limit = max(1, min(timeout, self.left()))
        try:
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return None

    def table(self, rows):
        widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.say("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())

    def expect(self, holds, what):
        if not holds:
            self.failed.append(what)
        return "ok" if holds else "FAILED"

    def repository(self, name, sources, settings):
        """A repository with kernels, committed: bench records on a commit, and everything here is a dry run of it."""
        folder = self.folder / name
        shutil.copytree(sources, folder)
        (folder / "ratchet.toml").write_text(settings)
        environment = ["-c", "user.name=acceptance", "-c", "user.email=acceptance@example.org"]
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "acceptance"]):
            subprocess.run(["git", *environment, *arguments], cwd=folder, check=True)
        return folder

    def bench(self, folder, arguments):
        """Exit code, medians by (benchmark, metric), and what was said."""
        ran = self.run([self.ratchet, "bench", "--json", "--dry-run", *arguments], folder)
        if ran is None:
            return None, {}, ""
        medians = {}
        try:
            for run in json.loads(ran.stdout)["kernels"]:
                for result in run["results"]:
                    medians[result["benchmark"], result["metric"]] = result["statistics"]["median"]
        except (ValueError, KeyError):
            pass
        return ran.returncode, medians, ran.stderr

    def cheats(self):
        self.say("Kernels that cheat")
        blocks = []
        for name, _, _ in CHEATS:
            timeout = 'timeout = "2s"\n' if name == "hang" else ""
            blocks.append(f'[[benchmark]]\nname = "{name}"\nkernel = "{name}.toml"\n{timeout}')
        folder = self.repository("cheats", ROOT / "tests/data/kernels/adversarial", "\n".join(blocks))
        rows = [("kernel", "exit", "wanted", "said", "")]
        for name, wanted, said in CHEATS:
            code, medians, errors = self.bench(folder, ["--max-time", "300ms", name])
            if self.dry_run:
                continue
            if code == 0 and not medians:
                self.say("  SKIPPED: " + (errors.strip().splitlines() or ["there is no GPU"])[-1])
                return False
            error = next((line for line in errors.splitlines() if line.startswith("error:")), "")
            is_timed = wanted == 4 or (name, "time") in medians
            holds = code == wanted and is_timed and (said is None or said in errors)
            rows.append((name, code, wanted, error.removeprefix("error: ")[:70], self.expect(holds, f"cheat {name}")))
        if not self.dry_run:
            self.table(rows)
        return True

    def kernels(self):
        blocks = []
        for name, config in KERNELS:
            blocks.append(f'[[benchmark]]\nname = "{name}"\nkernel = "kernels/{name}.toml"\nconfigs = ["{config}"]\n')
        folder = self.folder / "sources"
        shutil.copytree(ROOT / "kernels", folder / "kernels")
        return self.repository("kernels", folder, "\n".join(blocks))

    def repeated(self, folder):
        """A/A: medians of fresh processes, by benchmark and point."""
        self.say(f"\nThe same kernel measured {RUNS} times in fresh processes (median times)")
        seen = {}
        for _ in range(RUNS):
            _, medians, errors = self.bench(folder, ["--max-time", "1s"])
            for (benchmark, metric), median in medians.items():
                if metric == "time":
                    seen.setdefault(benchmark, []).append(median)
            for line in errors.splitlines():
                if line.startswith("error:") and line not in self.lines:
                    self.say(line)
        rows = [("kernel", "runs", "median", "spread", "")]
        for benchmark, medians in sorted(seen.items()):
            centre = statistics.median(medians)
            spread = 100 * (max(medians) - min(medians)) / centre
            is_judged = centre > SHORTEST_JUDGED_SECONDS
            holds = self.expect(spread <= WORST_SPREAD_PERCENT, f"spread of {benchmark}") if is_judged else "too short to judge"
            rows.append((benchmark, len(medians), f"{centre * 1e6:.2f} us", f"{spread:.3f} %", holds))
        if not self.dry_run:
            self.table(rows)
        return {benchmark: statistics.median(medians) for benchmark, medians in seen.items()}

    def beside_ncu(self, folder, ours):
        self.say("\nOur median beside Nsight Compute's gpu__time_duration")
        if shutil.which("ncu") is None and not self.dry_run:
            self.say("  SKIPPED: there is no ncu in PATH")
            return
        rows = [("kernel", "ours", "ncu", "difference", "")]
        for name, _ in KERNELS:
            command = ["ncu", "--target-processes", "all", "--clock-control", "none", "--cache-control", "all", "-k", f"regex:^{name}"]
            command += ["-s", "6", "-c", "5", "--metrics", "gpu__time_duration.sum", "--csv", "--print-units", "base", "--print-fp"]
            ran = self.run([*command, self.ratchet, "bench", "--dry-run", "--max-time", "100ms", name], folder, timeout=60)
            if self.dry_run or ran is None:
                continue
            if "ERR_NVGPUCTRPERM" in ran.stdout + ran.stderr:
                self.say("  SKIPPED: ncu may not read the performance counters here (ERR_NVGPUCTRPERM)")
                return
            start = ran.stdout.find('"ID"')
            found = csv.DictReader(io.StringIO(ran.stdout[start:])) if start >= 0 else []
            times = [float(row["Metric Value"].replace(",", "")) * 1e-9 for row in found if row.get("Metric Name") == "gpu__time_duration.sum"]
            if times and name in ours:
                theirs = statistics.median(times)
                percent = 100 * (ours[name] / theirs - 1)
                holds = self.expect(abs(percent) <= WORST_NCU_PERCENT or theirs < SHORTEST_JUDGED_SECONDS, f"{name} beside ncu")
                rows.append((name, f"{ours[name] * 1e6:.2f} us", f"{theirs * 1e6:.2f} us", f"{percent:+.2f} %", holds))
        if not self.dry_run:
            self.table(rows)

    def beside_torch(self, ours):
        self.say("\nBeside PyTorch (the same work; do_bench is triton's)")
        ran = self.run([sys.executable, str(HERE / "torch_times.py")], ROOT, timeout=120)
        if self.dry_run:
            return
        if ran is None or ran.returncode != 0:
            self.say("  SKIPPED: " + ((ran.stderr.strip().splitlines() or ["?"])[-1] if ran else "it took too long"))
            return
        rows = [("kernel", "ours", "PyTorch", "do_bench", "event loop", "PyTorch / ours", "")]
        shown = lambda seconds: f"{seconds * 1e6:.2f} us" if seconds else "-"
        for entry in json.loads(ran.stdout):
            own = ours.get(entry["kernel"])
            share = entry["cold"] / own if own else None
            least = LEAST_SHARE.get(entry["kernel"])
            holds = self.expect(share >= least, f"{entry['kernel']} beside PyTorch") if share and least else ""
            ratio = f"{share:.3f}" if share else "-"
            rows.append((f"{entry['kernel']} ({entry['what']})", shown(own), shown(entry["cold"]), shown(entry.get("do_bench")), shown(entry["loop"]), ratio, holds))
        self.table(rows)

    def tuned(self, folder):
        """The budget holds, and what is suggested was proven in pairs."""
        self.say(f"\nTuning {TUNED} within {TUNE_SECONDS} s")
        began = time.monotonic()
        ran = self.run([self.ratchet, "tune", TUNED, "--budget", f"{TUNE_SECONDS}s", "--seed", "1", "--json"], folder)
        if self.dry_run:
            return
        took = time.monotonic() - began
        if ran is None or ran.returncode != 0:
            self.say(f"  {self.expect(False, 'tune')}: " + ((ran.stderr.strip().splitlines() or ["?"])[-1] if ran else "it took too long"))
            return
        found = json.loads(ran.stdout)
        rows = [("point", "time", "source", "registers", "shared", "occupancy")]
        shown = [point for point in found["points"] if point["score"]][:5]
        shown += [point for point in found["points"] if point["default"] and point not in shown]
        for point in shown:
            name = " ".join(f"{key}={value}" for key, value in point["tunables"].items()) + (" (default)" if point["default"] else "")
            score = f"{point['score'] * 1e6:.2f} us" if point["score"] else point["results"][-1].get("failure", "-")
            code = point["code"] or {}
            source = point["results"][0].get("source", "-")
            rows.append((name, score, source, code.get("registers", "-"), code.get("shared_bytes", "-"), code.get("occupancy_percent", "-")))
        self.table(rows)
        failures = [result["failure"] for point in found["points"] for result in point["results"] if "failure" in result]
        counts = ", ".join(f"{failures.count(cause)} {cause}" for cause in sorted(set(failures))) or "none"
        self.say(f"  {len(found['points'])} of {found['space']['valid']} valid points, {found['search']['ended']}; failures: {counts}")
        for finalist in found["finalists"]:
            for pair in finalist["pairs"]:
                name = " ".join(f"{key}={value}" for key, value in finalist["tunables"].items())
                self.say(f"  pairs: {name}: {pair['change_percent']:+.2f} %, p {pair['p']:.2g}, {pair['pairs']} pairs")
        suggestion = found["suggestion"]
        self.say("  suggested: " + (f"{suggestion['tunables']}, {suggestion['gain_percent']} %" if suggestion else "the default stands"))
        holds = self.expect(took <= TUNE_SECONDS + 15, "the budget of tune")
        self.say(f"  took {took:.0f} s: {holds}")

    def facts(self):
        self.say(f"GPU acceptance, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
        self.say("command: scripts/gpu-acceptance")
        if shutil.which("nvidia-smi"):
            query = "--query-gpu=name,driver_version,clocks.max.sm,power.limit"
            ran = subprocess.run(["nvidia-smi", query, "--format=csv,noheader"], capture_output=True, text=True)
            self.say("GPU: " + ran.stdout.strip())
        self.say()

    def all(self):
        self.facts()
        has_gpu = self.cheats()
        if has_gpu or self.dry_run:
            folder = self.kernels()
            ours = self.repeated(folder)
            self.beside_ncu(folder, ours)
            self.beside_torch(ours)
            self.tuned(folder)
            self.say(f"\ntook {time.monotonic() - self.began:.0f} s")
        if has_gpu and not self.dry_run:
            name = f"gpu-{datetime.date.today():%Y-%m-%d}.txt"
            results = pathlib.Path(os.environ.get("ACCEPTANCE_RESULTS", ROOT / "docs/results"))
            (results / name).write_text("\n".join(self.lines) + "\n")
        shutil.rmtree(self.folder, ignore_errors=True)
        for what in self.failed:
            print(f"FAILED: {what}", file=sys.stderr)
        return 1 if self.failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--ratchet", required=True)
    arguments = parser.parse_args()
    sys.exit(Acceptance(arguments.ratchet, arguments.dry_run).all())


if __name__ == "__main__":
    main()
