"""How long seasons take under the real limits, with a clock that is set forward instead of being waited for.

All is real but the waiting: the calendar, the plan, FastF1's load, the rows, the ledger with FastF1's own limits, and a
simulated season in this process, of reduced sessions. Beside it stands the least that the limit of all requests
allows: as many requests, each at the first moment at which no window is full. Then the requests by what was asked for.
``F1_BENCH_SEASONS`` sets how many seasons there are, 1 by default.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from sqlalchemy import select

from f1_assets.connection import connect
from f1_assets.feeds.table import feed_of
from f1_assets.fetch.transport import Transport
from f1_assets.importing import import_season
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import Policy, policies_of
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import upstream_requests

SEASONS = int(os.environ.get("F1_BENCH_SEASONS", "1"))
LAST_SEASON = 2025
SHAPE = "races=24,tests=0,sprints=6,laps=5,drivers=4,samples_every=50"


@contextmanager
def skipped_waits() -> Iterator[None]:
    """Set all clocks of this process forward by what anybody sleeps, at once."""
    sleep, monotonic, skipped = time.sleep, time.monotonic, 0.0
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:

        def skip(seconds: float) -> None:
            nonlocal skipped
            skipped += seconds
            clock.shift(seconds)

        time.sleep, time.monotonic = skip, lambda: monotonic() + skipped
        try:
            yield
        finally:
            time.sleep, time.monotonic = sleep, monotonic


def least_seconds(requests: int, policy: Policy) -> float:
    """Return when the last one of so many requests can be sent at the earliest, from the first one on."""
    sent_at: list[float] = []
    for number in range(requests):
        full = [sent_at[number - window.limit] + window.seconds for window in policy.windows if number >= window.limit]
        sent_at.append(max(full, default=0.0))
    return sent_at[-1]


def main() -> None:
    os.environ["F1_SIMULATOR"] = SHAPE
    policies = policies_of("", reaches_real_services=True)
    with tempfile.TemporaryDirectory() as folder, skipped_waits():
        settings = load_settings(home=Path(folder) / "home", source="simulator")
        warehouse = connect(settings)
        ledger = Ledger(warehouse.engine, policies, clock=lambda: time.time_ns() // 1_000_000, sleep=time.sleep)
        transport = Transport(settings, ledger)
        began, worked = time.time(), time.perf_counter()
        for season in range(LAST_SEASON - SEASONS + 1, LAST_SEASON + 1):
            summary = import_season(season, warehouse=warehouse, transport=transport)
            assert not summary.failed, summary
        seconds, worked = time.time() - began, time.perf_counter() - worked
        with warehouse.engine.connect() as connection:
            query = select(upstream_requests.c.host, upstream_requests.c.path, upstream_requests.c.counted_at_ms)
            sent = connection.execute(query.order_by(upstream_requests.c.counted_at_ms)).all()
        transport.close()
        warehouse.close()
    any_policy = next(policy for policy in policies if policy.name == "any")
    last = sent[-1].counted_at_ms / 1000 - sent[0].counted_at_ms / 1000
    least = least_seconds(len(sent), any_policy)
    print(f"{SEASONS} seasons, {len(sent)} requests, {worked:.0f} s of work")
    print(f"  from the first request to the last  {last / 3600:.3f} h, until all is stored {seconds / 3600:.3f} h")
    print(f"  the least that 500 an hour allow    {least / 3600:.3f} h")
    print(f"  more than the least                 {last / least - 1:.1%}")
    counts = Counter(str(feed_of(f"https://{row.host}{row.path}")) for row in sent)
    for name, count in counts.most_common():
        print(f"  {count:>6}  {name}")


if __name__ == "__main__":
    main()
