"""What a piece of work takes of this process: CPU and wall seconds, and growth of peak memory (Linux)."""

import gc
import time


class Clock:
    """Seconds since it was made; CPU seconds are those of all threads, user and system."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def elapsed(self):
        """What passed on both clocks."""
        return {"cpu": time.process_time() - self.cpu, "wall": time.perf_counter() - self.wall}


class Memory:
    """How far peak resident memory rises above what was resident when this was made."""

    def __init__(self):
        gc.collect()
        # Sets the peak back to what is resident now (man 5 proc).
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        self.before = status("VmRSS")

    def growth(self):
        """Bytes."""
        return max(status("VmHWM") - self.before, 0)


def status(name):
    """A line of /proc/self/status, in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))
