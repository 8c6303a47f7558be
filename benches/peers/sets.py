"""The sets by name."""

from made import MADE
from public import SKLEARN, from_folder, from_sklearn, listed

# Sets with categories as they were written, on which engines are compared as they come.
RAW = ["adult", "telco_churn", "bank_marketing", "ames", "kc_housing"]
GROUPS = {"made": list(MADE), "sklearn": list(SKLEARN), "raw": RAW}


def names(words, folder=None):
    """The names that a comma-separated list stands for: sets, or the groups `made`, `sklearn`, `raw`, `public`."""
    groups = dict(GROUPS, public=list(listed(folder)) if folder else [])
    chosen = [name for word in words.split(",") for name in groups.get(word, [word])]
    known = set(MADE) | set(SKLEARN) | set(groups["public"])
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise SystemExit(f"no such set: {', '.join(unknown)} (those of a folder need --data)")
    return list(dict.fromkeys(chosen))


def table(name, folder=None):
    """The whole set, and how many rows train (`None`: three quarters)."""
    if name in MADE:
        make, n_train = MADE[name]
        return make(), n_train
    return (from_sklearn(name) if name in SKLEARN else from_folder(folder, name)), None
