"""A season extracted again from its archive, and compared with what is stored: seconds with one worker and with two.

The season and its recording are those of season.py (two weekends; F1_BENCH_RACES=24 is a whole one). Nothing is asked
for: what is measured waits for no service.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.season import RACES, SEASON, record

WAYS = {
    "imported": ["import", str(SEASON)],
    "extracted again": ["import", str(SEASON), "--renew", "--from-archive", "--yes"],
    "compared": ["archive", "compare", str(SEASON)],
}


def timed(environment: dict[str, str], arguments: list[str], workers: int) -> float:
    """Run a command with so many workers; return its seconds."""
    command = [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments, "--workers", str(workers)]
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure each, and print the seconds as a table."""
    with tempfile.TemporaryDirectory() as folder:
        recording = record(Path(folder))
        print(f"{RACES} weekends, {5 * RACES} sessions\n")
        print("| what | 1 worker | 2 workers | ratio |")
        print("| --- | ---: | ---: | ---: |")
        for what, arguments in WAYS.items():
            seconds = []
            for workers in (1, 2):
                home = Path(folder) / f"home-{workers}"
                environment = {**os.environ, "F1_HOME": str(home), "F1_SOURCE": f"recording:{recording}"}
                seconds.append(timed(environment, arguments, workers))
            one, two = seconds
            print(f"| {what} | {one:.0f} | {two:.0f} | {one / two:.2f} |", flush=True)


if __name__ == "__main__":
    main()
