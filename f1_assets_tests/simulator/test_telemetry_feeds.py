"""CarData.z, Position.z and TeamRadio: FastF1 reads them, they equal the ground truth, and cars obey their timing."""

import base64
import hashlib
import itertools
import json
import logging
import re
import zlib
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from fastf1 import _api
from fastf1.req import Cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of, folder
from f1_assets.simulator.circuits import circuit_of
from f1_assets.simulator.motion import Place, motions
from f1_assets.simulator.pace import TRAP_SPEEDS_KMH
from f1_assets.simulator.track import track_of
from f1_assets_tests.simulator.fastf1_session import load

OPTIONS = SimulatorOptions.parse("laps=8,drivers=8")
FEEDS = ("CarData.z", "Position.z", "TeamRadio")
OTHER_FEEDS = (
    "SessionInfo",
    "DriverList",
    "SessionStatus",
    "TrackStatus",
    "LapCount",
    "TimingData",
    "TimingAppData",
    "WeatherData",
    "RaceControlMessages",
)
CAR = {
    "rpm": "RPM",
    "speed_kmh": "Speed",
    "gear": "nGear",
    "throttle_pct": "Throttle",
    "brake": "Brake",
    "drs": "DRS",
}
POSITION = {"status": "Status", "x": "X", "y": "Y", "z": "Z"}


class Loaded:
    """A session as FastF1 loads it, its ground truth, and what FastF1 has said meanwhile."""

    def __init__(self, season, number, session_id):
        self.simulator = Simulator(OPTIONS)
        said = []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: said.append(record.getMessage())
        logger = logging.getLogger("fastf1")
        logger.addHandler(handler)
        with pytest.MonkeyPatch.context() as monkeypatch:
            self.session, _ = load(self.simulator, season, number, session_id, monkeypatch, telemetry=True)
        logger.removeHandler(handler)
        # Of sprint qualifying it says what it lacks, with telemetry or without.
        self.said = [words for words in said if "is not supported by Ergast" not in words]
        self.course = self.simulator._course(*self.simulator._find(season, number, session_id))
        self.track = track_of(circuit_of(self.course.event.place))
        self.truth = self.simulator.telemetry_truth(season, number, session_id)
        self.laps = self.simulator.truth(season, number, session_id)["laps"]

    def plain_laps(self):
        """Laps from line to line at racing speed."""
        laps = self.laps
        plain = laps["lap_time_ms"].notna() & ~laps["is_pit_in"] & ~laps["is_pit_out"] & (laps["lap_number"] > 1)
        return laps[plain & (laps["speed_st_kmh"] > 0.9 * TRAP_SPEEDS_KMH[3])]

    def motions(self):
        return motions(self.course, self.track)


@pytest.fixture(scope="module")
def race():
    return Loaded(2025, 1, "R")


@pytest.fixture(scope="module")
def qualifying():
    return Loaded(2025, 1, "Q")


@pytest.fixture(scope="module", params=["race", "qualifying"])
def either(request):
    return request.getfixturevalue(request.param)


def _respond(simulator, feed, season=2025, number=1, session_id="R"):
    event = next(e for e in events_of(season, OPTIONS) if e.round == number)
    session = next(s for s in event.sessions if s.session_id == session_id)
    path = f"https://livetiming.formula1.com/static/{season}/{folder(event, session)}{feed}.jsonStream"
    response = simulator.respond(path)
    assert response.status == 200, feed
    return response.body


def _lines(body):
    """Read a feed without FastF1: session time in milliseconds, and the content."""
    assert body.startswith(b"\xef\xbb\xbf")
    lines = body.decode("utf-8-sig").split("\r\n")
    assert lines.pop() == ""
    for line in lines:
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", line[:12])
        hours, minutes, seconds = line[:12].split(":")
        content = json.loads(line[12:])
        if isinstance(content, str):
            content = json.loads(zlib.decompress(base64.b64decode(content, validate=True), -zlib.MAX_WBITS))
        yield round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000), content


def test_fastf1_reads_both_feeds_without_a_warning(either):
    assert either.said == []
    numbers = {driver.number for driver in either.course.drivers}
    assert set(either.session.car_data) == set(either.session.pos_data) == numbers


def test_the_start_that_fastf1_finds_is_the_feed_s_own_to_the_millisecond(either):
    assert either.session.t0_date == pd.Timestamp(either.course.feed_start.replace(tzinfo=None))
    laps = either.session.laps
    started = laps["LapStartDate"] - either.session.t0_date
    assert (started == laps["LapStartTime"]).all()


@pytest.mark.parametrize(("table", "columns"), [("car_data", CAR), ("position", POSITION)])
def test_what_fastf1_reads_is_the_ground_truth(either, table, columns):
    loaded = either.session.car_data if table == "car_data" else either.session.pos_data
    for number, expected in either.truth[table].groupby("driver_number"):
        actual = loaded[number]
        session_time_ms = (actual["SessionTime"] / pd.Timedelta(milliseconds=1)).round().astype(int)
        assert session_time_ms.tolist() == expected["session_time_ms"].tolist()
        for ours, theirs in columns.items():
            assert actual[theirs].tolist() == expected[ours].tolist(), (number, ours)


def test_the_fastest_lap_has_plausible_telemetry(either):
    telemetry = either.session.laps.pick_fastest().get_telemetry()
    assert telemetry["Distance"].iloc[-1] == pytest.approx(either.track.length_m, rel=0.01)
    assert telemetry["Distance"].is_monotonic_increasing
    assert 300 < telemetry["Speed"].max() < 340
    assert 25 < telemetry["Speed"].min() < 120
    assert telemetry["nGear"].between(1, 8).all()
    assert set(telemetry["nGear"]) >= {2, 3, 4, 5, 6, 7, 8}
    assert telemetry["RPM"].between(4_000, 13_000).all()
    assert (either.session.laps.pick_fastest().get_car_data()["Throttle"] == 100).mean() > 0.3
    assert 0.05 < telemetry["Brake"].mean() < 0.4
    assert set(telemetry["Status"]) == {"OnTrack"}


def test_speed_adds_up_to_the_circuit_s_length_on_every_plain_lap(either):
    plain = either.plain_laps()
    assert len(plain) > 8
    for lap in plain.itertuples():
        car = either.truth["car_data"]
        car = car[car["driver_number"] == lap.driver_number]
        at, speed = car["session_time_ms"].to_numpy(), car["speed_kmh"].to_numpy() / 3.6
        times = np.arange(lap.session_time_ms - lap.lap_time_ms, lap.session_time_ms + 1)
        distance = np.interp(times, at, speed)[1:].sum() / 1000
        assert distance == pytest.approx(either.track.length_m, rel=0.01)


def test_every_sector_of_every_lap_ends_where_it_has_to(either):
    """To the millimetre for the cars, and within two metres for what the samples, 70 m apart at most, say."""
    cars, ends = either.motions(), either.truth["sector_ends"]
    assert len(ends) == 3 * len(either.laps)
    for number, expected in ends.groupby("driver_number"):
        times = expected["session_time_ms"].to_numpy(dtype=float)
        assert np.abs(cars[number].at(times).distance_m - expected["distance_m"]).max() < 1e-3
        position = either.truth["position"]
        position = position[position["driver_number"] == number]
        sampled = np.interp(times, position["session_time_ms"], position["distance_m"])
        assert np.abs(sampled - expected["distance_m"]).max() < 2.0


def test_fastf1_sees_the_cars_at_the_line_and_on_the_circuit_s_map(either):
    circuit = circuit_of(either.course.event.place)
    for lap in either.plain_laps().itertuples():
        position = either.session.pos_data[lap.driver_number]
        at = position["SessionTime"] / pd.Timedelta(milliseconds=1)
        x, y = (np.interp(lap.session_time_ms, at, position[axis]) for axis in "XY")
        assert np.hypot(x - circuit.xs[0], y - circuit.ys[0]) < 20  # tenths of a metre
    telemetry = either.session.laps.pick_fastest().get_pos_data()
    gaps = np.hypot(
        telemetry["X"].to_numpy()[:, None] - np.array(circuit.xs), telemetry["Y"].to_numpy()[:, None] - circuit.ys
    )
    assert gaps.min(axis=1).max() < 60


def test_the_markers_of_the_circuit_have_distances_in_their_order(race, monkeypatch):
    """With telemetry, FastF1 tells how far from the line each corner is."""
    load(race.simulator, 2025, 1, "R", monkeypatch)
    info = race.session.get_circuit_info()
    corners = info.corners[info.corners["Letter"] == ""]
    assert corners["Distance"].is_monotonic_increasing
    assert corners["Distance"].between(0, race.track.length_m * 1.01).all()


def test_cars_are_as_fast_at_the_traps_as_their_timing_says(either):
    cars, ends = either.motions(), either.truth["sector_ends"].set_index(["driver_number", "lap_number", "sector"])
    columns = {1: "speed_i1_kmh", 2: "speed_i2_kmh", 3: "speed_fl_kmh"}
    plain = either.plain_laps()
    for lap in plain.itertuples():
        for sector, column in columns.items():
            time_ms = ends.loc[(lap.driver_number, lap.lap_number, sector), "session_time_ms"]
            speed = cars[lap.driver_number].at(np.array([float(time_ms)])).speed_mps[0] * 3.6
            assert speed == pytest.approx(getattr(lap, column), abs=3)
        times = np.arange(
            ends.loc[(lap.driver_number, lap.lap_number, 2), "session_time_ms"], lap.session_time_ms, 20.0
        )
        in_last_sector = cars[lap.driver_number].at(times)
        there = np.argmin(np.abs(in_last_sector.distance_m % either.track.length_m - either.track.longest_straight_m))
        assert in_last_sector.speed_mps[there] * 3.6 == pytest.approx(lap.speed_st_kmh, abs=3)


def test_pedals_gears_and_revs_follow_the_speed(either):
    car = either.truth["car_data"]
    moving = car[car["speed_kmh"] > 5]
    assert not ((moving["throttle_pct"] > 0) & moving["brake"]).any()
    assert moving.groupby("gear")["speed_kmh"].agg(["min", "max"]).stack().is_monotonic_increasing
    steps = car.groupby("driver_number")["speed_kmh"].diff().shift(-1)
    assert (steps[car["brake"] & (car["speed_kmh"] > 30)] < 0).mean() > 0.9
    assert (steps[(car["throttle_pct"] == 100) & (car["speed_kmh"] < 300)] > 0).mean() > 0.9


def test_in_the_garage_everything_is_zero_and_the_car_stands_in_its_box(qualifying):
    car, position = qualifying.truth["car_data"], qualifying.truth["position"]
    first = qualifying.laps[qualifying.laps["lap_number"] == 1].set_index("driver_number")
    boxes = {}
    for number, rows in car.groupby("driver_number"):
        before = rows[rows["session_time_ms"] < first.loc[number, "pit_out_time_ms"] - 15_000]
        assert len(before) > 3_000
        assert not before[[*CAR]].to_numpy(dtype=int).any()
        places = position[position["driver_number"] == number]
        places = places[places["session_time_ms"] < first.loc[number, "pit_out_time_ms"] - 15_000]
        assert set(places["status"]) == {"OffTrack"}
        boxes[number] = set(zip(places["x"], places["y"], strict=True))
    assert all(len(box) == 1 for box in boxes.values())
    teams = {driver.number: driver.team.team_id for driver in qualifying.course.drivers}
    assert len(set.union(*boxes.values())) == len(set(teams.values()))


def test_cars_keep_to_the_speed_of_the_pit_lane_and_stop_there(race):
    stops = race.laps[race.laps["is_pit_in"]]
    assert len(stops)
    cars = race.motions()
    for lap in stops.itertuples():
        following = race.laps[race.laps["driver_number"] == lap.driver_number]
        following = following[following["lap_number"] == lap.lap_number + 1]
        if following.empty:
            continue
        times = np.arange(lap.pit_in_time_ms, following["pit_out_time_ms"].item(), 50.0)
        speed = cars[lap.driver_number].at(times).speed_mps * 3.6
        assert speed.max() < 80.1
        assert 1.5 < (speed == 0).sum() * 0.05 < 6


def test_a_car_that_retires_stops_on_the_circuit_and_is_off(race):
    for number, stopped_ms in race.course.retirements_ms.items():
        car = race.motions()[number].at(np.array([stopped_ms - 3_000.0, stopped_ms + 1_000.0, stopped_ms + 600_000.0]))
        assert car.speed_mps[0] > 5
        assert car.speed_mps[1] == car.speed_mps[2] == 0
        assert car.place[2] == Place.OFF
    others = set(race.motions()) - set(race.course.retirements_ms)
    assert others
    for number in others:
        assert race.motions()[number].place[-1] == Place.OFF


@pytest.mark.parametrize(
    ("feed", "entries", "clock", "spacing_ms"),
    [("CarData.z", "Entries", "Utc", 240), ("Position.z", "Position", "Timestamp", 220)],
)
def test_the_cadence_is_that_of_the_real_feeds(race, feed, entries, clock, spacing_ms):
    lines = list(_lines(_respond(race.simulator, feed)))
    sent = [time_ms for time_ms, _ in lines]
    assert sent == sorted(sent)
    times = [entry[clock] for _, content in lines for entry in content[entries]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", time) for time in times)
    seconds = pd.to_datetime(pd.Series(times)).diff().dt.total_seconds().dropna()
    assert seconds.mean() * 1000 == pytest.approx(spacing_ms, rel=0.03)
    assert seconds.std() * 1000 > 20
    assert seconds.between(0.1, 0.4).all()
    sizes = [len(content[entries]) for _, content in lines[:-1]]
    assert set(sizes) == {4, 5}
    for time_ms, content in lines:
        taken = datetime.fromisoformat(content[entries][-1][clock][:26] + "+00:00")
        delay_ms = time_ms - (taken - race.course.feed_start).total_seconds() * 1000
        assert -0.001 <= delay_ms < 100


def test_entries_are_like_the_recorded_ones(recordings):
    sample = recordings / "telemetry_sample.json"
    if not sample.exists():
        pytest.skip("there is no recorded sample of telemetry")
    simulator = Simulator(OPTIONS)
    for recorded in json.loads(sample.read_text()):
        real = json.loads(zlib.decompress(base64.b64decode(recorded["payload"]), -zlib.MAX_WBITS))
        _, ours = next(_lines(_respond(simulator, recorded["topic"], season=2024)))
        assert _shape(ours) == _shape(real)
        name = next(iter(real))
        cars = [list(next(reversed(content[name][0].values()))) for content in (real, ours)]
        assert all(numbers == sorted(numbers, key=int) for numbers in cars)


def _shape(value):
    """Return the keys and types, numbers of cars left out."""
    if isinstance(value, dict):
        inner = [_shape(entry) for entry in value.values()]
        by_car = len(value) > 3 and len({str(shape) for shape in inner}) == 1 and not isinstance(inner[0], str)
        return inner[0] if by_car else dict(zip(value, inner, strict=True))
    if isinstance(value, list):
        return [_shape(value[0])]
    return type(value).__name__


def test_the_flap_is_open_on_straights_and_not_in_2026(qualifying):
    car = qualifying.truth["car_data"]
    assert set(car["drs"]) == {0, 8, 12}
    is_open = car[car["drs"] == 12]
    along = is_open["distance_m"] % qualifying.track.length_m
    second = qualifying.track.sector_ends_m[1]
    main = (along < 60) | (along > qualifying.track.length_m - 220)
    assert (main | along.between(second, qualifying.track.longest_straight_m)).all()
    assert is_open["speed_kmh"].min() > 150
    assert not is_open["brake"].any()
    simulator = Simulator(OPTIONS)
    for season, channels in ((2025, "0 2 3 4 5 45"), (2026, "0 2 3 4 5")):
        for _, content in itertools.islice(_lines(_respond(simulator, "CarData.z", season)), 20):
            for entry in content["Entries"]:
                assert all(" ".join(state["Channels"]) == channels for state in entry["Cars"].values())
    assert set(simulator.telemetry_truth(2026, 1, "Q")["car_data"]["drs"]) == {0}


def test_in_a_race_the_flap_opens_only_close_behind_another_car():
    simulator = Simulator(SimulatorOptions.parse("laps=20"))
    car, laps = simulator.telemetry_truth(2025, 1, "R")["car_data"], simulator.truth(2025, 1, "R")["laps"]
    length = track_of(circuit_of(events_of(2025, OPTIONS)[1].place)).length_m
    is_open = car[car["drs"] == 12]
    assert len(is_open)
    crossed = np.sort(laps["session_time_ms"].to_numpy())
    for number, lap in set(zip(is_open["driver_number"], is_open["distance_m"] // length + 1, strict=True)):
        assert lap >= 3
        own = laps[(laps["driver_number"] == number) & (laps["lap_number"] == lap - 1)]["session_time_ms"].item()
        assert own - crossed[np.searchsorted(crossed, own) - 1] < 1_000


def test_team_radio_is_read_and_equals_the_ground_truth(race, monkeypatch):
    load(race.simulator, 2025, 1, "R", monkeypatch)
    monkeypatch.setattr(Cache, "requests_get", lambda urls, **_: Cache._requests_session.get(urls[0]))
    page = _api.fetch_page(race.session.api_path, "team_radio")
    first = page[0][1]["Captures"]
    assert isinstance(first, list)
    rows = [(page[0][0], 0, first[0])]
    for time, content in page[1:]:
        rows += [(time, int(index), capture) for index, capture in content["Captures"].items()]
    truth = race.truth["team_radio"]
    assert [index for _, index, _ in rows] == truth["capture_number"].tolist() == list(range(len(truth)))
    for (time, _, capture), expected in zip(rows, truth.itertuples(), strict=True):
        assert capture == {"Utc": expected.utc, "RacingNumber": expected.driver_number, "Path": expected.path}
        sent_ms = pd.Timedelta(time) / pd.Timedelta(milliseconds=1)
        assert sent_ms == expected.session_time_ms
        published = datetime.fromisoformat(capture["Utc"]) - race.course.feed_start
        assert 0 < sent_ms - published.total_seconds() * 1000 < 1_000
        number = capture["RacingNumber"]
        reference = next(driver.reference for driver in race.course.drivers if driver.number == number)
        assert re.fullmatch(rf"TeamRadio/{reference}_{number}_20250302_\d{{6}}\.mp3", capture["Path"])


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    digests = {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        simulator = Simulator(SimulatorOptions.parse(f"laps=5,drivers=4,seed={seed}"))
        digests[name] = [hashlib.sha256(_respond(simulator, feed)).hexdigest() for feed in FEEDS]
    assert digests["first"] == digests["again"]
    assert not set(digests["first"]) & set(digests["other"])


def test_the_other_feeds_are_those_that_they_were_before_there_was_telemetry():
    """Telemetry must not draw from the streams of others; who changes the race on purpose changes this digest."""
    simulator = Simulator(SimulatorOptions.parse("laps=5,drivers=4"))
    for feed in FEEDS:
        _respond(simulator, feed)
    digest = hashlib.sha256()
    for feed in OTHER_FEEDS:
        digest.update(_respond(simulator, feed))
    assert digest.hexdigest() == "b9eaa36e44b81174823a14bc6bbad1ac2e30f6bbd1fcf845334fd1dc023cd353"


@pytest.mark.parametrize("session_id", ["FP1", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("S", "SQ"))])
def test_fastf1_reads_the_other_kinds_of_sessions(session_id):
    loaded = Loaded(2025, 2, session_id)
    assert loaded.said == []
    telemetry = loaded.session.laps.pick_fastest().get_telemetry()
    assert telemetry["Distance"].iloc[-1] == pytest.approx(loaded.track.length_m, rel=0.01)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 10**6),
    st.integers(1, 24),
    st.sampled_from(["FP1", "Q", "R"]),
    st.integers(5, 20),
    st.integers(4, 20),
)
def test_cars_go_forwards_at_speeds_that_cars_have(seed, number, session_id, laps, drivers):
    simulator = Simulator(SimulatorOptions(seed=seed, laps=laps, drivers=drivers, sprints=0))
    course = simulator._course(*simulator._find(2025, number, session_id))
    track = track_of(circuit_of(course.event.place))
    for car in motions(course, track).values():
        assert (np.diff(car.time_ms) > 0).all()
        assert (np.diff(car.distance_m) >= 0).all()
        assert car.speed_mps.min() >= 0
        assert car.speed_mps.max() * 3.6 < 370
        assert car.acceleration_mps2.min() > -120
        assert car.acceleration_mps2.max() < 60
        # What it drives is what its speed adds up to.
        seconds = np.diff(car.time_ms) / 1000
        driven = np.sum((car.speed_mps[1:] + car.speed_mps[:-1]) / 2 * seconds)
        assert driven == pytest.approx(car.distance_m[-1] - car.distance_m[0], rel=0.005)
