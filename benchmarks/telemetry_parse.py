"""What it costs to parse the telemetry of a race, beside FastF1: time in one process, peak memory in one each."""

import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fastf1

from f1_assets.upstream.telemetry import parse_car_data, parse_positions

# The tests are not installed with the package; the feeds made up for them serve here too.
sys.path.append(str(Path(__file__).parents[1]))
from f1_assets_tests.upstream.telemetry_feeds import feed, made_up_lines

RUNS = 3
MINUTES = 100
FEEDS = {"car": parse_car_data, "position": parse_positions}
# Without FastF1's cache around it, which would parse once only.
FASTF1 = {"car": fastf1._api.car_data.__wrapped__, "position": fastf1._api.position_data.__wrapped__}


def parse(who: str, kind: str, body: bytes) -> int:
    """Parse a body, and tell how many samples it held."""
    if who == "FastF1":
        frames = FASTF1[kind]("", response=body.decode("utf-8-sig").split("\r\n")[:-1])
        return sum(map(len, frames.values()))
    return len(FEEDS[kind](body).table)


def peak_mb() -> float:
    """Tell the most memory that this process has had, where Linux tells it."""
    status = dict(each.split(":", 1) for each in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def report_memory(who: str, kind: str, path: Path) -> None:
    """Print how far parsing raises the peak of this process."""
    body = path.read_bytes()
    before = peak_mb()
    parse(who, kind, body)
    print(peak_mb() - before)


def main() -> None:
    """Measure both in turn on each feed, and print medians and the ratio pair by pair."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in FEEDS:
            path = Path(folder) / kind
            path.write_bytes(feed(*made_up_lines(kind, MINUTES)))
            body = path.read_bytes()
            seconds: dict[str, list[float]] = {"FastF1": [], "f1_assets": []}
            samples = set()
            for _ in range(RUNS):
                for who, measured in seconds.items():
                    started = time.perf_counter()
                    samples.add(parse(who, kind, body))
                    measured.append(time.perf_counter() - started)
            (count,) = samples
            print(f"{kind}: {count:,} samples, {len(body) / 1e6:.1f} MB")
            for who, measured in seconds.items():
                command = [sys.executable, __file__, who, kind, str(path)]
                peak = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                spread = f"min {min(measured):.2f}, max {max(measured):.2f}"
                print(f"  {who}: median {statistics.median(measured):.2f} s ({spread}), {peak:.0f} MB more at the peak")
            theirs, ours = seconds.values()
            print(f"  ratio: {statistics.median(t / o for t, o in zip(theirs, ours, strict=True)):.1f} times as fast")


if __name__ == "__main__":
    fastf1.set_log_level(logging.CRITICAL)
    if len(sys.argv) > 1:
        report_memory(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    else:
        main()
