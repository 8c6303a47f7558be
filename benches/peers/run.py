"""Runs engines over sets, one process per engine, set, split and number of threads; see README.md.

Engines take turns on each split, so that whatever else the machine does hits all of them. Every finished process
adds a line to the results at once, and a line that is there already is not run again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import sets
from data import Split
from engine import ENGINES, LEAVES, MIN_ROWS, RATE, ROUNDS

HERE = Path(__file__).resolve().parent
CACHE = Path.home() / ".cache" / "automl-peers"
# Our own parameters where all engines are asked for the same; any algorithm not named here keeps its defaults.
SAME = {"n_estimators": ROUNDS, "learning_rate": RATE}
ALIKE = {
    "light_gbm": {**SAME, "num_leaves": LEAVES, "min_child_samples": MIN_ROWS},
    "gradient_boosting": {**SAME, "num_leaves": LEAVES, "min_child_samples": MIN_ROWS},
    "xg_boost": {**SAME, "num_leaves": LEAVES},
    "cat_boost": {**SAME, "max_depth": 6},
}
# What tells one process from another.
KEY = ("mode", "set", "split", "repeat", "threads", "engine")


def options():
    """The command line."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default="made,sklearn", help="sets or groups: made, sklearn, raw, public")
    parser.add_argument("--engines", default="lightgbm,light_gbm", help=f"{', '.join(ENGINES)}, or algorithms of ours")
    parser.add_argument("--mode", choices=["alike", "defaults"], default="alike", help="parameters: alike, or as come")
    parser.add_argument("--threads", default="1,2", help="numbers of threads; losses are taken from the first")
    parser.add_argument("--splits", type=int, default=5, help="splits over which losses are taken")
    parser.add_argument("--timing-splits", type=int, default=3, help="of these, run with every number of threads")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each timing split, of which the least counts")
    parser.add_argument("--params", action="append", default=[], metavar="NAME=JSON", help="parameters of one of ours")
    parser.add_argument("--data", type=Path, help="folder with a manifest.json of public sets")
    parser.add_argument("--work", type=Path, default=CACHE / "sets", help="where splits are written")
    parser.add_argument("--peer", type=Path, default=target / "release/examples/peer", help="our side, built")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds a process may take")
    parser.add_argument("--out", type=Path, default=Path("results.jsonl"))
    chosen = parser.parse_args()
    chosen.engines = chosen.engines.split(",")
    chosen.threads = [int(n) for n in chosen.threads.split(",")]
    chosen.params = {name: json.loads(text) for name, text in (pair.split("=", 1) for pair in chosen.params)}
    return chosen


def processes(chosen):
    """Every process to run, in order; the engines of a split next to each other."""
    for name in sets.names(chosen.sets, chosen.data):
        for split in range(chosen.splits):
            timed = split < chosen.timing_splits
            for repeat in range(chosen.repeats if timed else 1):
                for threads in chosen.threads if timed else chosen.threads[:1]:
                    for engine in chosen.engines:
                        yield dict(zip(KEY, (chosen.mode, name, split, repeat, threads, engine)))


def read(path):
    """The finished processes of a results file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


class Splits:
    """Writes splits when they are first asked for, and holds the last set and split."""

    def __init__(self, chosen):
        self.work, self.data = chosen.work, chosen.data
        self.name, self.table, self.n_train = None, None, None
        self.work.mkdir(parents=True, exist_ok=True)

    def files(self, name, split):
        """The files of a split, for Python and for Rust."""
        npz, binary = (self.work / f"{name}-{split}.{ending}" for ending in ("npz", "bin"))
        if not (npz.exists() and binary.exists()):
            if self.name != name:
                self.table, self.n_train = sets.table(name, self.data)
                self.name = name
            # Renamed when whole, so that a run that was cut off leaves no half of a file.
            halves = npz.with_suffix(".half.npz"), binary.with_suffix(".half.bin")
            self.table.split(split, self.n_train).save(*halves)
            for half, file in zip(halves, (npz, binary)):
                half.rename(file)
        return npz, binary


def command(chosen, process, npz, binary, predictions):
    """The command line of one process."""
    engine, threads = process["engine"], str(process["threads"])
    if engine in ENGINES:
        return [sys.executable, HERE / "engine.py", engine, npz, predictions, threads, chosen.mode]
    params = ALIKE.get(engine, {}) if chosen.mode == "alike" else {}
    params = chosen.params.get(engine, params)
    return [chosen.peer, engine, binary, predictions, threads, json.dumps(params)]


def measure(chosen, process, npz, binary):
    """Runs one process and scores what it predicts: its measures, or `None` with the reason on standard error."""
    threads = str(process["threads"])
    knobs = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    # Threads that wait sleep. Spinning, OpenMP's way unless told otherwise, costs the peers up to a hundred times
    # the work itself as soon as anything else wants a core, and would flatter us.
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ, **dict.fromkeys(knobs, threads)}
    with tempfile.NamedTemporaryFile(dir=chosen.work) as predictions:
        words = command(chosen, process, npz, binary, predictions.name)
        try:
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=chosen.timeout)
        except subprocess.TimeoutExpired:
            return complain(process, f"not done in {chosen.timeout:.0f} seconds")
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            return complain(process, said[-1])
        measures = json.loads(done.stdout.splitlines()[-1])
        measures["loss"] = Split.load(npz).loss(np.fromfile(predictions.name))
    return {**measures, "load": os.getloadavg()[0]}


def complain(process, reason):
    """Says why a process gave nothing; it will be tried again when this is run again."""
    print(f"{describe(process)}: {reason}", file=sys.stderr)


def describe(process):
    """A process in a few words."""
    return "{engine} on {set}, split {split}, threads {threads}".format(**process)


def main():
    """Runs what is not done yet."""
    chosen = options()
    done = {tuple(line[key] for key in KEY) for line in read(chosen.out)}
    left = [process for process in processes(chosen) if tuple(process.values()) not in done]
    splits, lacking = Splits(chosen), 0
    for i, process in enumerate(left, 1):
        measures = measure(chosen, process, *splits.files(process["set"], process["split"]))
        if measures is None:
            lacking += 1
            continue
        with chosen.out.open("a") as file:
            file.write(json.dumps({**process, **measures}) + "\n")
        cpu, loss = measures["total"]["cpu"], measures["loss"]
        print(f"{i}/{len(left)} {describe(process)}: {cpu:.3f} CPU seconds, loss {loss:.5f}", flush=True)
    if lacking:
        raise SystemExit(f"{lacking} of {len(left)} processes gave nothing")


if __name__ == "__main__":
    main()
