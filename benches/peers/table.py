"""Prints the results of run.py as Markdown: table.py RESULTS.jsonl [--reference lightgbm] [--mode alike]"""

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev

from run import read

# A cost of at most this share of the reference's is counted in the summary.
AIM = 0.5
MEASURES = {
    "CPU seconds, binning + training": lambda line: line["total"]["cpu"],
    "CPU seconds, training alone": lambda line: line["training"] and line["training"]["cpu"],
    "CPU seconds, binning alone": lambda line: line["binning"] and line["binning"]["cpu"],
    "Wall seconds, binning + training": lambda line: line["total"]["wall"],
    "CPU seconds, predicting the test part": lambda line: line["predict"]["cpu"],
    "Growth of peak memory, MiB": lambda line: line["memory"] / 2**20,
}
TOTAL, TRAINING, MEMORY = (list(MEASURES)[i] for i in (0, 1, 5))


class Results:
    """The lines of one mode, looked at from the reference engine."""

    def __init__(self, lines, reference):
        self.lines, self.reference = lines, reference
        self.sets = unique(line["set"] for line in lines)
        self.threads = sorted({line["threads"] for line in lines})
        self.engines = unique([reference] + [line["engine"] for line in lines])
        self.splits = defaultdict(lambda: defaultdict(list))
        for line in lines:
            self.splits[line["set"], line["threads"], line["engine"]][line["split"]].append(line)

    def cost(self, measure, name, threads, engine):
        """Least of the repeats, averaged over the splits that the reference and this engine both have."""
        mine, other = (self.splits[name, threads, each] for each in (engine, self.reference))
        shared = [split for split in mine if split in other]
        values = [[MEASURES[measure](line) for line in mine[split]] for split in shared]
        values = [min(split) for split in values if None not in split]
        return mean(values) if values else None

    def ratio(self, measure, name, threads, engine):
        """The cost as a share of the reference's."""
        costs = [self.cost(measure, name, threads, each) for each in (engine, self.reference)]
        return costs[0] / costs[1] if None not in costs and costs[1] else None

    def losses(self, name, engine):
        """The loss per split, whatever the number of threads: the fewest that there are."""
        found = {}
        for threads in reversed(self.threads):
            found.update({split: lines[0]["loss"] for split, lines in self.splits[name, threads, engine].items()})
        return found

    def difference(self, name, engine):
        """Mean of loss minus the reference's over paired splits, and its standard error; `None` below two."""
        mine, other = self.losses(name, engine), self.losses(name, self.reference)
        pairs = [mine[split] - other[split] for split in mine if split in other]
        return (mean(pairs), stdev(pairs) / len(pairs) ** 0.5) if len(pairs) > 1 else None


def verdict(difference):
    """How a difference of losses reads: beyond two standard errors it is no noise."""
    if difference is None:
        return "too few"
    delta, error = difference
    return "noise" if abs(delta) <= 2 * error else "better" if delta < 0 else "**worse**"


def unique(words):
    """Each once, in order of first sight."""
    return list(dict.fromkeys(words))


def number(value, form=".3g"):
    """A figure, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def grid(title, header, rows):
    """A Markdown table under a heading."""
    lines = [f"\n### {title}\n", "| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def costs(results, measure, threads):
    """Each engine's cost, with its share of the reference's."""
    def cell(name, engine):
        figure = number(results.cost(measure, name, threads, engine))
        share = results.ratio(measure, name, threads, engine)
        return figure if engine == results.reference or share is None else f"{figure} ({share:.2f}×)"

    rows = [[name] + [cell(name, engine) for engine in results.engines] for name in results.sets]
    plural = "thread" if threads == 1 else "threads"
    return grid(f"{measure}, {threads} {plural}", ["set"] + results.engines, rows)


def quality(results):
    """The reference's mean loss, and by how much each other engine's differs."""
    others = results.engines[1:]

    def cell(name, engine):
        difference = results.difference(name, engine)
        if difference is None:
            return "–"
        return f"{difference[0]:+.3g} ± {difference[1]:.2g} {verdict(difference)}"

    rows = []
    for name in results.sets:
        losses = results.losses(name, results.reference)
        size = number(mean(losses.values()) if losses else None, ".5g")
        rows.append([name, str(len(losses)), size] + [cell(name, engine) for engine in others])
    title = f"Loss on the test part (log-loss or RMSE): mean difference to {results.reference} ± standard error"
    return grid(title, ["set", "splits", results.reference] + others, rows)


def summary(results):
    """One line per engine and number of threads, against the reference."""
    lines = []
    for engine in results.engines[1:]:
        for threads in results.threads:
            share = {}
            for measure in (TOTAL, TRAINING, MEMORY):
                found = {name: results.ratio(measure, name, threads, engine) for name in results.sets}
                share[measure] = {name: ratio for name, ratio in found.items() if ratio is not None}
            if not share[TOTAL]:
                continue
            above = [name for name, ratio in share[MEMORY].items() if ratio > 1]
            verdicts = {name: verdict(results.difference(name, engine)) for name in results.sets}
            judged = sum(each != "too few" for each in verdicts.values())
            worse = [name for name, each in verdicts.items() if each == "**worse**"]
            training = f" (training alone: {reached(share[TRAINING])})" if share[TRAINING] else ""
            lines.append(
                f"- **{engine}**, {threads} thread{'s'[:threads > 1]}: CPU at most {AIM}× {results.reference}'s on"
                f" {reached(share[TOTAL])}{training}; loss worse beyond noise on {listing(worse)} of {judged} judged;"
                f" more memory on {listing(above)}."
            )
    return "\n### Summary\n\n" + "\n".join(lines)


def reached(share):
    """On how many sets the aim is reached, and the median."""
    return f"{sum(ratio <= AIM for ratio in share.values())} of {len(share)} sets, median {median(share.values()):.3g}×"


def listing(names):
    """Names with their count."""
    return f"{len(names)} ({', '.join(names)})" if names else "none"


def main():
    """Prints the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--reference", default="lightgbm")
    parser.add_argument("--mode", choices=["alike", "defaults"], help="only this mode")
    chosen = parser.parse_args()
    lines = read(chosen.results)
    for mode in unique(line["mode"] for line in lines):
        if chosen.mode in (None, mode):
            results = Results([line for line in lines if line["mode"] == mode], chosen.reference)
            print(f"\n## Parameters: {'alike' if mode == 'alike' else 'as each engine comes'}")
            print(quality(results))
            for threads in results.threads:
                for measure in MEASURES:
                    print(costs(results, measure, threads))
            print(summary(results))
            loads = [line["load"] for line in results.lines]
            print(f"\nLoad average while it ran: {min(loads):.1f} to {max(loads):.1f}.")


if __name__ == "__main__":
    main()
