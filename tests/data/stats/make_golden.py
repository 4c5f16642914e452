"""Writes golden.json: what scipy says of fixed samples. The tests of src/stats compare with it.

    python3 -m venv venv && venv/bin/pip install scipy && venv/bin/python make_golden.py
"""

import itertools
import json
import math
import pathlib
import random

import numpy
import scipy
from scipy import stats

draw = random.Random(20240607)


def sample(n, scale=1.0, shift=0.0, digits=4):
    return [round(shift + scale * draw.gauss(0, 1), digits) for _ in range(n)]


def u_statistic(x, y):
    return sum((a > b) + 0.5 * (a == b) for a in x for b in y)


def conditional_tails(x, y):
    """P(U <= u) and P(U >= u) by going through every split of the pooled values."""
    pooled, observed = x + y, u_statistic(x, y)
    less = greater = total = 0
    for chosen in itertools.combinations(range(len(pooled)), len(x)):
        rest = [pooled[i] for i in range(len(pooled)) if i not in chosen]
        u = u_statistic([pooled[i] for i in chosen], rest)
        less, greater, total = less + (u <= observed), greater + (u >= observed), total + 1
    return less / total, greater / total


def rank_case(x, y, method):
    case = {"x": x, "y": y, "u": u_statistic(x, y), "method": method}
    for alternative, name in [("less", "p_less"), ("greater", "p_greater"), ("two-sided", "p_two_sided")]:
        kind = "exact" if method == "exact" else "asymptotic"
        case[name] = stats.mannwhitneyu(x, y, alternative=alternative, method=kind, use_continuity=True).pvalue
    return case


def tied_case(x, y):
    less, greater = conditional_tails(x, y)
    return {"x": x, "y": y, "u": u_statistic(x, y), "method": "exact", "p_less": less, "p_greater": greater,
            "p_two_sided": min(1.0, 2 * min(less, greater))}


def effect_case(x, y):
    differences = numpy.subtract.outer(numpy.array(x), numpy.array(y)).ravel()
    n, m = len(x), len(y)
    pooled = math.sqrt(((n - 1) * numpy.var(x, ddof=1) + (m - 1) * numpy.var(y, ddof=1)) / (n + m - 2))
    g = (1 - 3 / (4 * (n + m) - 9)) * (numpy.mean(x) - numpy.mean(y)) / pooled
    delta = sum((a > b) - (a < b) for a in x for b in y) / (n * m)
    # The shifts that the exact two-sided test at 5 % does not reject are the interval.
    kept = [d for d in sorted(differences)
            if stats.mannwhitneyu([a - d - 1e-9 for a in x], y, method="exact").pvalue > 0.05
            or stats.mannwhitneyu([a - d + 1e-9 for a in x], y, method="exact").pvalue > 0.05]
    return {"x": x, "y": y, "shift": float(numpy.median(differences)), "low": kept[0], "high": kept[-1],
            "cliffs_delta": delta, "hedges_g": g}


def summary_case(values):
    n, k = len(values), 0
    while stats.binom.cdf(k, n, 0.5) <= 0.025:
        k += 1
    ordered = sorted(values)
    return {"values": values, "median": float(numpy.median(values)), "mean": float(numpy.mean(values)),
            "stddev": float(numpy.std(values, ddof=1)), "quartile": float(numpy.quantile(values, 0.25)),
            "p90": float(numpy.quantile(values, 0.9)),
            "low": ordered[k - 1] if k else None, "high": ordered[n - k] if k else None}


def bootstrap_case(values, name, statistic):
    case = {"values": values, "statistic": name}
    for method, key in [("percentile", "percentile"), ("BCa", "bca")]:
        got = stats.bootstrap((values,), statistic, n_resamples=200_000, method=method, batch=2000,
                              rng=numpy.random.default_rng(7)).confidence_interval
        case[key] = [float(got.low), float(got.high)]
    return case


skewed = [round(math.exp(value), 4) for value in sample(30, 0.7)]
golden = {
    "scipy": scipy.__version__,
    "mann_whitney": [
        rank_case(sample(4), sample(4), "exact"),
        rank_case(sample(8, shift=1.5), sample(8), "exact"),
        rank_case(sample(3), sample(17, shift=1), "exact"),
        rank_case(sample(24, shift=0.3), sample(24), "exact"),
        rank_case(sample(50, digits=9), sample(50, digits=9), "exact"),
        rank_case(sample(70), sample(60, shift=0.2), "normal"),
        rank_case(sample(80, digits=0), sample(60, shift=0.4, digits=0), "normal"),
        tied_case(sample(5, digits=0), sample(6, shift=1, digits=0)),
        tied_case([1, 1, 1, 2], [1, 2, 2, 3, 3]),
        tied_case([5, 5, 5], [5, 5, 5]),
    ],
    "effect": [effect_case(sample(n, shift=s), sample(m)) for n, m, s in [(4, 5, 1), (8, 8, 0), (10, 24, -0.5)]],
    "summary": [summary_case(sample(n, shift=10)) for n in (2, 5, 6, 7, 20, 101, 1000)],
    "bootstrap": [
        bootstrap_case(skewed, "mean", numpy.mean),
        bootstrap_case(sample(20, shift=5), "mean", numpy.mean),
    ],
    "normal": [[z, stats.norm.cdf(z)] for z in (-8, -3.09, -1, 0, 0.5, 1.96, 4)],
    "normal_quantile": [[p, stats.norm.ppf(p)] for p in (1e-9, 0.001, 0.025, 0.5, 0.75, 0.999)],
    "student_quantile": [[p, df, stats.t.ppf(p, df)]
                         for p in (0.6, 0.95, 0.975, 0.999, 0.9999) for df in (1, 3, 3.4, 10, 22.6, 402.6)],
    "student_upper_tail": [[t, df, stats.t.sf(t, df)]
                           for t in (-1, 0, 0.5, 2.3, 6, 15) for df in (1, 3, 3.4, 10, 22.6, 402.6)],
    "binomial": [[k, n, stats.binom.cdf(k, n, 0.5)] for k, n in [(0, 5), (0, 6), (5, 20), (468, 1000), (500, 1000)]],
}
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text(json.dumps(golden, separators=(",", ":")).replace('},{', '},\n{') + "\n")
