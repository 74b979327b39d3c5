"""Sound bodies to begin with: recorded ones where the recordings are, and the simulator's own everywhere."""

import functools
import gzip
import json
from datetime import UTC, datetime

from f1_assets.feeds.table import CIRCUIT_HOST, Feed, feed_of
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import PLACES
from f1_assets_tests.conftest import RECORDINGS

OPTIONS = "races=2,tests=0,sprints=0,laps=5,samples_every=50,drivers=4"
FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
STREAMS = (
    Feed.SESSION_INFO,
    Feed.DRIVER_LIST,
    Feed.SESSION_STATUS,
    Feed.TRACK_STATUS,
    Feed.LAP_COUNT,
    Feed.TIMING_DATA,
    Feed.TIMING_APP_DATA,
    Feed.WEATHER,
    Feed.RACE_CONTROL,
    Feed.CAR_DATA,
    Feed.POSITION,
    Feed.TEAM_RADIO,
    Feed.DRIVER_RACE_INFO,
    Feed.CHAMPIONSHIP_PREDICTION,
    Feed.SESSION_DATA,
    Feed.PIT_LANE_TIMES,
    Feed.PIT_STOP_SERIES,
    Feed.TYRE_STINTS,
)
IN_2026 = "https://livetiming.formula1.com/static/2026/2026-03-01_Meridian_Grand_Prix/2026-03-01_Race/"
STREAMS_OF_2026 = (Feed.PIT_STOP, Feed.OVERTAKES)
JOLPICA = "https://api.jolpi.ca/ergast/f1"
DOCUMENTS = (
    "https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2025.json",
    "https://livetiming.formula1.com/static/2025/Index.json",
    f"{JOLPICA}/2025/1/results.json",
    f"{JOLPICA}/2025/1/qualifying.json",
    f"{JOLPICA}/2025/1/laps/1.json",
    f"{JOLPICA}/1979/results.json?limit=100&offset=0",
    f"{JOLPICA}/2025/1/driverstandings.json?limit=100",
    f"{JOLPICA}/2025/1/constructorstandings.json?limit=100",
    f"{JOLPICA}/1979.json",
    f"https://{CIRCUIT_HOST}/api/v1/circuits/{PLACES[0].circuit_key}/2025",
)
_LINES = 12
"""So many lines of a stream are enough to be damaged, and quick to read."""


@functools.cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return addresses with sound bodies, the same in every run."""
    simulator = Simulator(SimulatorOptions.parse(OPTIONS), now=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    streams = [*(f"{FOLDER}{feed}" for feed in STREAMS), *(f"{IN_2026}{feed}" for feed in STREAMS_OF_2026)]
    urls = [*(f"{stream}.jsonStream" for stream in streams), *DOCUMENTS]
    answers = {url: simulator.respond(url) for url in urls}
    assert all(answer.status == 200 for answer in answers.values()), "a page of an error is no sound body"
    made_up = [(url, answer.body) for url, answer in answers.items()]
    return tuple((url, _shortened(url, body)) for url, body in (*made_up, *_recorded()))


@functools.cache
def seeds_of(*feeds: Feed) -> tuple[tuple[str, bytes], ...]:
    """Return those of some feeds."""
    return tuple((url, body) for url, body in seeds() if feed_of(url) in feeds)


def _recorded() -> list[tuple[str, bytes]]:
    """Return a recorded body of each feed."""
    if not (RECORDINGS / "index.jsonl").exists():
        return []
    first = {}
    for line in (RECORDINGS / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["status"] == 200:
            first.setdefault(feed_of(entry["url"]), entry)
    return [(entry["url"], gzip.decompress((RECORDINGS / entry["body"]).read_bytes())) for entry in first.values()]


def _shortened(url: str, body: bytes) -> bytes:
    return b"".join(body.splitlines(keepends=True)[:_LINES]) if url.endswith(".jsonStream") else body
