"""Optuna's schedulers on the tables of learning curves, and the comparison of all methods.

    python peers.py run FILE [SEEDS] [METHODS]      # appends a line of JSON for each run, as the example `curves` does
    python peers.py compare FILE [BASELINE]         # medians, and paired Wilcoxon tests against a baseline

Needs numpy, scipy and optuna 5. Rungs, budget and score are those of hyperdrive/examples/curves.rs.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

ROUNDS = [1, 3, 9, 27, 81]
BUDGET = 20 * 81
HERE = Path(__file__).parent


class Table:
    def __init__(self, path):
        lines = path.read_text().splitlines()
        head = lines[0].split(",")
        self.columns = head[: head.index("r1")]
        rows = np.array([[float(x) for x in line.split(",")] for line in lines[1:]])
        self.points, self.curves = rows[:, : len(self.columns)], rows[:, len(self.columns):]
        self.choice = np.array([":" in column for column in self.columns])

    def curve(self, point):
        gaps = self.points - np.array(point)
        distance = np.where(self.choice, gaps != 0, gaps**2).sum(1)
        near = np.argsort(distance, kind="stable")[:5]
        weights = (distance[near] + 1e-9) ** -2.0
        return np.exp(weights @ np.log(np.maximum(self.curves[near], 1e-9)) / weights.sum())

    def suggest(self, trial):
        return [
            trial.suggest_categorical(c, list(range(int(c.split(":")[1])))) if ":" in c else trial.suggest_float(c, 0, 1)
            for c in self.columns
        ]


def replay(table, method, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    scheduler, sampler = method.removeprefix("optuna-").split("+")
    samplers = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "gp": lambda: optuna.samplers.GPSampler(seed=seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
    }
    pruners = {
        "none": optuna.pruners.NopPruner,
        "median": optuna.pruners.MedianPruner,
        "sha": optuna.pruners.SuccessiveHalvingPruner,
        "hyperband": lambda: optuna.pruners.HyperbandPruner(min_resource=1, max_resource=81, reduction_factor=3),
    }
    study = optuna.create_study(sampler=samplers[sampler](), pruner=pruners[scheduler]())
    used, best, score, marks, scores = 0, np.inf, np.nan, [BUDGET / k for k in (8, 4, 2, 1)], []
    while used < BUDGET:
        trial = study.ask()
        curve = table.curve(table.suggest(trial))
        before = 0
        for rounds in ROUNDS:
            used += rounds - before
            before = rounds
            while len(scores) < len(marks) and used > marks[len(scores)]:
                scores.append(score)
            if used > BUDGET:
                break
            loss = float(curve[rounds - 1])
            if loss < best:
                best, score = loss, float(curve[-1])
            trial.report(loss, rounds)
            if rounds < ROUNDS[-1] and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, loss)
    return scores + [score] * (len(marks) - len(scores))


def run(out, seeds, methods):
    with open(out, "a") as file:
        for path in sorted(HERE.glob("*.csv")):
            table = Table(path)
            for method in methods.split(","):
                for seed in range(seeds):
                    line = {"task": path.stem, "method": method, "seed": seed, "scores": replay(table, method, seed)}
                    print(json.dumps(line), file=file, flush=True)


def compare(path, baseline):
    from scipy.stats import wilcoxon

    runs = defaultdict(dict)
    for line in open(path):
        run = json.loads(line.replace("NaN", "null"))
        runs[run["method"]][run["task"], run["seed"]] = run["scores"]
    finals = {task.stem: np.sort(Table(task).curves[:, -1]) for task in HERE.glob("*.csv")}

    def rank(task, score):
        """The share of the table's configurations that are better at the end: the scale is the same for all tasks."""
        return 1.0 if score is None else float((finals[task] < score).mean())

    tasks = sorted(finals)
    print("mean share of configurations better than the incumbent, in percent, at 1/8, 1/4, 1/2 and all of the budget;")
    print(f"then at the end by task; p: paired Wilcoxon v {baseline} at the end")
    for method, of in sorted(runs.items()):
        shares = {key: [100 * rank(key[0], score) for score in scores] for key, scores in of.items()}
        means = np.mean(list(shares.values()), 0)
        by_task = [np.mean([s[-1] for (task, _), s in shares.items() if task == t]) for t in tasks]
        both = [key for key in of if key in runs.get(baseline, {})]
        gaps = [shares[key][-1] - 100 * rank(key[0], runs[baseline][key][-1]) for key in both]
        p = wilcoxon(gaps).pvalue if np.any(gaps) else 1.0
        wins = f"{sum(g < 0 for g in gaps)}/{sum(g == 0 for g in gaps)}/{sum(g > 0 for g in gaps)}"
        print(f"{method:24}", *(f"{m:6.2f}" for m in means), " |", *(f"{m:6.2f}" for m in by_task),
              f" | n={len(both)} win/tie/loss {wins} p={p:.2g}")
    print("tasks:", *tasks)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        extra = sys.argv[3:] + ["10", "optuna-none+tpe,optuna-median+tpe,optuna-hyperband+tpe"][len(sys.argv) - 3:]
        run(sys.argv[2], int(extra[0]), extra[1])
    else:
        compare(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "none+random")
