"""A soak: sessions imported one after the other in one process, with its memory, threads and open files.

Usage: python benchmarks/soak.py [SESSIONS] [--json]
"""

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from statistics import median

os.environ.setdefault("F1_SIMULATOR", "races=24,tests=0,sprints=0,laps=8,drivers=8,samples_every=8")

from f1_assets.connection import connect
from f1_assets.fetch.transport import Transport
from f1_assets.importing import Watcher, import_season
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings

FIRST_SEASON = 2019
SESSIONS_A_SEASON = 120


class _Enough(Exception):
    """So many sessions were imported."""


def resident_mb():
    """Memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Gauge(Watcher):
    """Reads the process after each session."""

    def __init__(self, wanted):
        self.readings, self._wanted = [], wanted

    def ended(self, run):
        assert not run.outcome.failed, run.outcome
        self.readings.append((resident_mb(), threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())))
        if len(self.readings) == self._wanted:
            raise _Enough


def soak(sessions):
    """Import so many sessions; give what was read after each."""
    gauge = Gauge(sessions)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder) / "home", source="simulator")
        warehouse = connect(settings)
        policies = policies_of("any=1000000/1h;jolpica=1000000/1h", reaches_real_services=False)
        transport = Transport(settings, Ledger(warehouse.engine, policies))
        try:
            for season in range(FIRST_SEASON, FIRST_SEASON + 1 + sessions // SESSIONS_A_SEASON):
                import_season(season, warehouse=warehouse, transport=transport, watcher=gauge)
        except _Enough:
            pass
        finally:
            transport.close()
            warehouse.close()
    return gauge.readings


def main():
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    readings = soak(numbers[0] if numbers else 300)
    tenth = max(len(readings) // 10, 1)
    # The first tenth is a start: libraries are loaded, caches and pools fill.
    parts = {"second tenth": readings[tenth : 2 * tenth], "last tenth": readings[-tenth:]}
    figures = {
        name: {
            "memory_mb": round(median(memory for memory, _, _ in part), 1),
            "threads": median(threads for _, threads, _ in part),
            "open_files": median(files for _, _, files in part),
        }
        for name, part in parts.items()
    }
    if "--json" in sys.argv:
        print(json.dumps({"sessions": len(readings), **figures}))
        return
    print(f"{len(readings)} sessions one after the other in one process (median of each tenth)")
    for name, part in figures.items():
        print(f"  {name:<13} {part['memory_mb']:>7} MB  {part['threads']} threads  {part['open_files']} open files")


if __name__ == "__main__":
    main()
