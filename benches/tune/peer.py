"""The strategies of Kernel Tuner on the recorded spaces, beside those of `git ratchet tune`, as one markdown table.

    pip install kernel_tuner==1.5.0
    cargo bench --bench tune -- --json > ours.json
    python benches/tune/peer.py --ours ours.json --rows rows.jsonl

Kernel Tuner runs in its simulation mode: the cache that it takes its times from is made in memory from the recorded
spaces, each time 1 % off by chance as in our bench, another way with each seed. Both are judged alike: the optimum's
time over the recorded one of the point with the best time seen, after so many different points. A strategy that
chooses by how much it may measure is run once for each number; the others do the same whatever the number is, and are
looked at on their way. Rows that `--rows` has are not made again, so that the work may be split and go on later.
"""

import argparse
import contextlib
import gzip
import io
import json
import random
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy
from constraint import FunctionConstraint
from kernel_tuner import interface, tune_kernel, util
from kernel_tuner.searchspace import Searchspace

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/tuning-spaces"
LOOKS = [25, 50, 100, 200]
NOISE = 0.01
# Their schedule follows the number of evaluations that they are allowed.
BY_NUMBER = {"bayes_opt", "dual_annealing", "random_sample", "simulated_annealing"}
# Measures everything.
NO_SEARCH = {"brute_force"}
FAILURES = {"CompilationFailedConfig": util.CompilationFailedConfig, "RuntimeFailedConfig": util.RuntimeFailedConfig}


class Cache(dict):
    """What the simulation looks times up in. Remembers what was looked up, in order."""

    def begin(self, seed):
        self.seed, self.seen = seed, {}

    def __getitem__(self, key):
        if key not in self.seen:
            row = dict(super().__getitem__(key))
            if "__error__" not in row:
                row["time"] *= 1 + NOISE * (random.Random(f"{self.seed} {key}").random() - 0.5)
            self.seen[key] = row
        return self.seen[key]


class Recorded:
    """A space that others measured whole."""

    def __init__(self, path):
        recorded = json.loads(gzip.decompress(path.read_bytes()))
        self.name = path.name.removesuffix(".json.gz")
        self.values = {name: recorded["values"][name] for name in recorded["params"]}
        self.cache, self.times, valid = Cache(), {}, set()
        for row in recorded["configs"]:
            row = dict(zip(recorded["columns"], row))
            key = ",".join(map(str, row["values"]))
            valid.add(tuple(row["values"]))
            self.times[key] = row["time_ms"]
            self.cache[key] = self.entry(row)
        self.optimum = min(time for time in self.times.values() if time is not None)

        def is_valid(*values):
            return values in valid

        with contextlib.redirect_stdout(io.StringIO()):
            self.space = Searchspace(self.values, [FunctionConstraint(is_valid)], 10**9)
        assert self.space.size == len(valid), f"{self.name}: {self.space.size} points of {len(valid)}"

    def entry(self, row):
        entry = dict(zip(self.values, row["values"]), verification_time=0, strategy_time=0, framework_time=0)
        entry |= dict(compile_time=row["compile_ms"] or 0, benchmark_time=row["benchmark_ms"] or 0, times=row["times_ms"])
        if row["time_ms"] is None:
            failure = FAILURES.get(row["error"], util.RuntimeFailedConfig)()
            return entry | dict(time=failure, __error__=failure)
        return entry | dict(time=row["time_ms"])

    def search(self, strategy, seed, most):
        """The optimum over the best found, at each look up to this many points."""
        random.seed(seed)
        numpy.random.seed(seed)
        self.cache.begin(seed)
        interface.Searchspace = lambda *_, **__: self.space
        util.process_cache = lambda *_, **__: self.cache
        util.close_cache = lambda *_: None
        with contextlib.redirect_stdout(io.StringIO()):
            tune_kernel(
                "kernel", "__global__ void kernel() {}", (1,), [], self.values, lang="CUDA", iterations=1, quiet=True,
                simulation_mode=True, cache="in memory", strategy=strategy, strategy_options={"max_fevals": most},
            )
        found, best = [], (float("inf"), 0.0)
        for key, row in self.cache.seen.items():
            if "__error__" not in row and row["time"] < best[0]:
                best = (row["time"], self.optimum / self.times[key])
            found.append(best[1])
        # One that ends early has found what it has found.
        return {look: found[min(look, len(found)) - 1] for look in LOOKS if look <= most}

    def row(self, strategy, seeds):
        runs = [LOOKS[-1]] if strategy not in BY_NUMBER else LOOKS
        found = {look: [] for look in LOOKS}
        try:
            for most in runs:
                for seed in range(seeds):
                    for look, share in self.search(strategy, seed, most).items():
                        if look == most or len(runs) == 1:
                            found[look].append(share)
        except Exception as failure:  # A strategy that does not work here is told, and not hidden.
            return dict(space=self.name, strategy=strategy, fails=f"{type(failure).__name__}: {failure}"[:120])
        means = [round(sum(found[look]) / seeds, 4) for look in LOOKS]
        return dict(space=self.name, strategy=strategy, seeds=seeds, means=means)


def table(name, rows, ours):
    yield f"\n### {name}\n"
    yield "| strategy | seeds | " + " | ".join(map(str, LOOKS)) + " |"
    yield "|---|---|" + "---|" * len(LOOKS)
    all_rows = [row for row in ours + rows if row["space"] == name and "means" in row]
    best = [max(round(row["means"][place], 3) for row in all_rows) for place in range(len(LOOKS))]
    for row in sorted(all_rows, key=lambda row: -sum(row["means"][1:])):
        cells = [f"**{mean:.3f}**" if round(mean, 3) == top else f"{mean:.3f}" for mean, top in zip(row["means"], best)]
        label = f"git ratchet `{row['strategy']}`" if row in ours else row["strategy"]
        yield f"| {label} | {row['seeds']} | " + " | ".join(cells) + " |"
    for row in rows:
        if row["space"] == name and "fails" in row:
            yield f"\n`{row['strategy']}` fails: {row['fails']}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=100)
    arguments.add_argument("--spaces", help="only those whose names have one of these, separated by commas")
    arguments.add_argument("--strategies", help="only these, separated by commas")
    arguments.add_argument("--rows", type=Path, help="a file of rows that are there; new ones are added to it")
    arguments.add_argument("--ours", type=Path, nargs="*", default=[], help="what `cargo bench --bench tune -- --json` printed")
    arguments = arguments.parse_args()
    warnings.filterwarnings("ignore")
    rows = []
    if arguments.rows and arguments.rows.exists():
        rows = [json.loads(line) for line in arguments.rows.read_text().splitlines()]
    known = {(row["space"], row["strategy"]) for row in rows}
    names = arguments.strategies.split(",") if arguments.strategies else set(interface.strategy_map) - NO_SEARCH
    spaces = []
    for path in sorted(FOLDER.glob("*.json.gz")):
        if arguments.spaces and not any(part in path.name for part in arguments.spaces.split(",")):
            continue
        recorded = Recorded(path)
        spaces.append(recorded.name)
        for strategy in names if arguments.strategies else sorted(names):
            if (recorded.name, strategy) not in known:
                row = recorded.row(strategy, arguments.seeds)
                rows.append(row)
                print(row, file=sys.stderr)
                if arguments.rows:
                    with arguments.rows.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    ours = [row for file in arguments.ours for row in json.loads(file.read_text())["recorded"]]
    print(f"Kernel Tuner {version('kernel_tuner')}, Python {sys.version.split()[0]}, NumPy {version('numpy')}")
    for name in spaces:
        print("\n".join(table(name, rows, ours)))


if __name__ == "__main__":
    main()
