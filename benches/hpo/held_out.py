"""Five functions no sampler of ours was tuned on, in the form of the harness's `funcs.py`.

They were written down before the first sampler beyond random search, and are run once, at the end.
Optima are known: by construction for `griewank6`, `powell8`, `mixed7` and `cond9`; from the literature for
`michalewicz5` (Molga and Smutnicki, "Test functions for optimization needs", 2005: -4.687658).
"""

import math

import numpy as np

from funcs import C, F, I, mk, reg, xs


def griewank(z):
    i = np.arange(1, len(z) + 1)
    return 1 + (z * z).sum() / 4000 - np.prod(np.cos(z / np.sqrt(i)))


def powell(z):
    a, b, c, d = z[0::4], z[1::4], z[2::4], z[3::4]
    return ((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4).sum()


def michalewicz(p):
    x = xs(p, 5)
    i = np.arange(1, 6)
    return -float((np.sin(x) * np.sin(i * x * x / math.pi) ** 20).sum())


def mixed7(p):
    """Three numbers on log scales or not, two counts, an option that moves the optimum, an option that only costs."""
    shift = {"a": 0.7, "b": -0.5, "c": 0.0, "d": 1.1}[p["family"]]
    cost = {"a": 0.04, "b": 0.0, "c": 0.03, "d": 0.07}[p["family"]]
    rate = math.log10(p["rate"]) + 1.7 - shift
    penalty = math.log10(p["penalty"]) - 0.6
    v = 0.2 * rate**2 + 0.04 * penalty**2 + 0.8 * (p["share"] - 0.61) ** 2
    v += 0.015 * abs(p["depth"] - 9) + 0.03 * (math.log2(p["rounds"]) - 7.0) ** 2
    return v + cost + (0.05 if p["flag"] == "off" else 0.0)


def cond9(p):
    """Three branches; the best one looks the worst to who samples it a few times at random."""
    if p["kind"] == "flat":
        return 0.14 + 0.02 * (p["flat_x"] - 0.3) ** 2
    if p["kind"] == "bowl":
        return 0.11 + 0.06 * (math.log10(p["bowl_s"]) + 0.8) ** 2 + 0.1 * (p["bowl_t"] - 0.7) ** 2
    v = 0.05 + 0.25 * abs(math.log10(p["well_a"]) + 2.6) + 0.4 * (p["well_b"] - 0.42) ** 2
    if p["well_mode"] == "deep":
        return v + 0.02 * abs(p["well_n"] - 11)
    return v + 0.04 + 0.1 * (p["well_r"] - 0.2) ** 2


mk("griewank", 6, -60, 60, griewank, seed=11)
mk("powell", 8, -4, 5, powell, frac=0.4, seed=11)
reg("michalewicz5", [F(f"x{i}", 0, math.pi) for i in range(5)], michalewicz, -4.687658179)
reg(
    "mixed7",
    [
        F("rate", 1e-4, 1, log=True),
        F("penalty", 1e-3, 1e3, log=True),
        F("share", 0.1, 1),
        I("depth", 1, 20),
        I("rounds", 8, 1024, log=True),
        C("family", ["a", "b", "c", "d"]),
        C("flag", ["on", "off"]),
    ],
    mixed7,
    0.0,
)
reg(
    "cond9",
    [
        C("kind", ["flat", "bowl", "well"]),
        F("flat_x", 0, 1, cond=("kind", "flat")),
        F("bowl_s", 1e-3, 10, log=True, cond=("kind", "bowl")),
        F("bowl_t", 0, 1, cond=("kind", "bowl")),
        F("well_a", 1e-6, 1, log=True, cond=("kind", "well")),
        F("well_b", 0, 1, cond=("kind", "well")),
        C("well_mode", ["deep", "plain"], cond=("kind", "well")),
        I("well_n", 1, 30, cond=("well_mode", "deep")),
        F("well_r", 0, 1, cond=("well_mode", "plain")),
    ],
    cond9,
    0.05,
)

HELD_OUT = ["griewank6", "powell8", "michalewicz5", "mixed7", "cond9"]
