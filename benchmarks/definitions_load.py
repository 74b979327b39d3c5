"""How long Dagster's definitions take to load, beside `import dagster` alone: every run and every tick pays for it."""

import statistics
import subprocess
import sys
import time

RUNS = 7
CODE = {"import dagster": "import dagster", "load the definitions": "import f1_assets.definitions"}


def main() -> None:
    """Measure both in turn, and print medians and the ratio pair by pair."""
    seconds: dict[str, list[float]] = {name: [] for name in CODE}
    for _ in range(RUNS):
        for name, code in CODE.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            seconds[name].append(time.perf_counter() - started)
    for name, measured in seconds.items():
        print(f"{name}: median {statistics.median(measured):.2f} s (min {min(measured):.2f}, max {max(measured):.2f})")
    dagster, definitions = seconds.values()
    print(f"ratio: {statistics.median(d / a for a, d in zip(dagster, definitions, strict=True)):.2f}")


if __name__ == "__main__":
    main()
