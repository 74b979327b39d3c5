"""Telemetry feeds written for tests, line by line, as live timing would send them."""

import base64
import json
import random
import zlib
from datetime import datetime, timedelta

import pandas as pd

BOM = b"\xef\xbb\xbf"
START = datetime(2024, 5, 5, 19, 0, 0, 123456)
NUMBERS = (1, 2, 3, 4, 10, 11, 14, 16, 18, 20, 22, 23, 24, 27, 31, 44, 55, 63, 77, 81)


def clock(session_time_ms):
    minutes, milliseconds = divmod(session_time_ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds / 1000:06.3f}".encode()


def packed(text):
    deflate = zlib.compressobj(wbits=-15)
    raw = deflate.compress(text if isinstance(text, bytes) else text.encode()) + deflate.flush()
    return b'"' + base64.b64encode(raw) + b'"'


def line(message, session_time_ms=60_000):
    """Make a line, without its end."""
    return clock(session_time_ms) + packed(json.dumps(message, separators=(",", ":")))


def feed(*lines):
    return BOM + b"".join(each + b"\r\n" for each in lines)


def car(rpm=10500, speed=280, gear=7, throttle=100, brake=0, drs=8):
    channels = {"0": rpm, "2": speed, "3": gear, "4": throttle, "5": brake, "45": drs}
    return {"Channels": {name: value for name, value in channels.items() if value is not None}}


def place(x=-634, y=-927, z=1303, status="OnTrack"):
    return {"Status": status, "X": x, "Y": y, "Z": z}


def car_line(cars, *, utc="2024-05-05T19:00:00.1234567Z", session_time_ms=60_000):
    """Make a line of one entry."""
    return line({"Entries": [{"Utc": utc, "Cars": cars}]}, session_time_ms)


def position_line(places, *, utc="2024-05-05T19:00:00.1234567Z", session_time_ms=60_000):
    """Make a line of one entry."""
    return line({"Position": [{"Timestamp": utc, "Entries": places}]}, session_time_ms)


def made_up_lines(kind, minutes, *, seed=1, numbers=NUMBERS, missing=0.0, drs=True):
    """Make lines of four or five entries at 4 Hz; a share of `missing` cars is left out."""
    rng = random.Random(seed)
    count, done, lines = int(minutes * 240), 0, []
    while done < count:
        entries = []
        for _ in range(min(rng.choice((4, 5)), count - done)):
            since = timedelta(seconds=done / 4, microseconds=rng.randrange(1000))
            utc = f"{(START + since).isoformat(timespec='microseconds')}{rng.randrange(10)}Z"
            present = [str(number) for number in numbers if rng.random() >= missing]
            entries.append(_car_entry(rng, utc, present, drs) if kind == "car" else _position_entry(rng, utc, present))
            done += 1
        delay_ms = 300_000 + rng.randrange(2000)
        lines.append(line({"Entries" if kind == "car" else "Position": entries}, done * 250 + delay_ms))
    return lines


def _car_entry(rng, utc, present, drs):
    def one():
        throttle = 104 if rng.random() < 0.05 else rng.randint(0, 100)
        brake = 104 if throttle == 104 else rng.choice((0, 100))
        eighth = rng.choice((0, 1, 8, 10, 12, 14)) if drs else None
        return car(rng.randint(0, 13000), rng.randint(0, 340), rng.randint(0, 8), throttle, brake, eighth)

    return {"Utc": utc, "Cars": {number: one() for number in present}}


def _position_entry(rng, utc, present):
    def one():
        x, y, z = (rng.randint(-20000, 20000) for _ in range(3))
        return place(x, y, z, rng.choice(("OnTrack", "OnTrack", "OffTrack")))

    return {"Timestamp": utc, "Entries": {number: one() for number in present}}


def values(table, *columns):
    """Return the rows of a table, with None for NULL."""
    return [[None if value is pd.NA else value for value in row] for row in table[[*columns]].values.tolist()]
