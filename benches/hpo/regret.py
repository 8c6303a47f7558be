"""Runs the shared harness's `regret.py` with the held-out functions registered beside its own.

    python benches/hpo/regret.py HARNESS --peers optuna-tpe,automl_auto --funcs held-out --n 200 --seeds 0-9

HARNESS is the folder that holds `funcs.py`, `peers.py` and `regret.py`; all other arguments are that script's, and
`--funcs held-out` stands for the five of `held_out.py`. An engine of ours is a peer named by its environment variable:
STDIO_AUTOML_AUTO="automl sweep ask-tell --sampler auto".
"""

import os
import runpy
import sys

harness = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, harness)
import held_out  # noqa: E402

sys.argv = [os.path.join(harness, "regret.py")] + [
    ",".join(held_out.HELD_OUT) if argument == "held-out" else argument for argument in sys.argv[2:]
]
runpy.run_path(sys.argv[0], run_name="__main__")
