"""Whole loads with damaged feeds: what can be read is there, the rest says why not, and nothing else changes."""

import contextlib
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from f1_assets import errors
from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import extracted_datasets
from f1_assets.errors import F1AssetsError, UpstreamError
from f1_assets.fetch.sources import Recording
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import events_of
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.server import Services, body, services
from f1_assets_tests.fuzz.mutations import mutated
from f1_assets_tests.fuzz.seeds import OPTIONS, STREAMS

RACE, RECORDED = SessionKey(2025, 1, "R"), SessionKey(2021, 18, "Q")
"""A simulated race, and a qualifying of which all but telemetry, radio and the circuit was recorded."""

ALL = tuple(extracted_datasets())
PARTS = (
    # What stands for another feed is not asked for beside it.
    *(f"{feed}.jsonStream" for feed in STREAMS if not feed.spec.instead_of),
    "/results.json",
    "/qualifying.json",
    "/laps/1.json",
    "/circuits/",
)
"""What tells a feed's address from the others'."""

ALONE = {
    "WeatherData.jsonStream": {"weather"},
    "TeamRadio.jsonStream": {"team_radio"},
    "/circuits/": {"circuit"},
    # A message may delete a lap, and the fastest one is what markers are measured along.
    "RaceControlMessages.jsonStream": {"race_control_messages", "laps", "circuit"},
}
"""Feeds with all that may change with them."""

MESSAGES, WEATHER = "RaceControlMessages.jsonStream", "WeatherData.jsonStream"
OURS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, F1AssetsError)}
CALENDAR = ("schedule_2025.json", "Index.json")
FREELY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@dataclass(repr=False)
class Whole:
    """A session that was imported whole: its services, what they answered, and the digests of its rows."""

    served: Services
    warehouse: F1Warehouse
    transport: Transport
    key: SessionKey = RACE
    sound: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def imported(self, *datasets, **damaged):
        self.transport.discard("")
        self.warehouse.forget(self.key, ALL)
        self.served.faults.clear()
        self.served.faults.update({part: body(lambda _, given=given: given) for part, given in damaged.items()})
        gap = SessionGap(self.key, datasets or ALL)
        return process_session_gap(gap, warehouse=self.warehouse, transport=self.transport)

    def changed(self, part, before, after, *datasets):
        """Import with one feed in which a text was replaced, and give the lines by dataset."""
        assert before in self.sound[part]
        given = self.sound[part].replace(before, after, 1)
        return {line.dataset: line for line in self.imported(*datasets, **{part: given}).datasets}


@contextlib.contextmanager
def imported_whole(source, key, home):
    """Serve what a source answers, and import a session from it."""
    with services(source) as served:
        loaded = load_settings(home=home, source=served.url)
        warehouse = connect(loaded)
        ledger = Ledger(warehouse.engine, policies_of(PLENTY, reaches_real_services=False))
        made = Whole(served, warehouse, Transport(loaded, ledger), key)
        refresh_calendar(key.season, warehouse=warehouse, transport=made.transport)
        outcome = made.imported()
        assert outcome.failed == ()
        made.digests = {line.dataset: line.digest for line in outcome.datasets}
        for part in (*PARTS, *CALENDAR):
            answers = [source.respond(url) for url in served.asked if part in url]
            made.sound.update((part, answer.body) for answer in answers if answer.status == 200)
        yield made
        made.transport.close()
        warehouse.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    simulator = Simulator(SimulatorOptions.parse(OPTIONS))
    with imported_whole(simulator, RACE, tmp_path_factory.mktemp("fuzzed")) as made:
        assert {name for name, digest in made.digests.items() if digest} == extracted_of(RACE)
        assert set(made.sound) == {*PARTS, *CALENDAR} - {"/qualifying.json"}
        yield made


@pytest.fixture(scope="module")
def recorded(recordings, tmp_path_factory):
    with imported_whole(Recording(recordings), RECORDED, tmp_path_factory.mktemp("recorded")) as made:
        of_timing = {"laps", "intervals", "mini_sectors", "qualifying_parts"}
        assert all(made.digests[name] for name in {*of_timing, "results", "weather", "race_control_messages"})
        yield made


def _a_damaged_feed_costs_its_datasets_alone(whole, data):
    sound = [part for part in PARTS if part in whole.sound]
    parts = data.draw(st.lists(st.sampled_from(sound), min_size=1, max_size=2, unique=True))
    damaged = {part: data.draw(mutated(whole.sound[part], most=2)) for part in parts}
    outcome = whole.imported(**damaged)
    assert {line.dataset for line in outcome.datasets} == set(ALL)
    for line in outcome.datasets:
        if line.status is Status.NOT_APPLICABLE:  # standings of a qualifying
            assert extracted_datasets()[line.dataset].why_not_applicable(whole.key, live_timing=True)
            continue
        assert line.status in (Status.PRESENT, Status.FAILED, Status.UNAVAILABLE)
        if line.error_class is None:
            assert line.rows
        else:
            # Whatever else is raised is stored too, as a defect: it would look like any other failure.
            assert line.error_class in OURS, line.error
            assert not line.reason.startswith("defect:")
            assert line.reason
            assert line.next_try_at
            assert line.error
    if len(parts) == 1 and parts[0] in ALONE:
        others = {line.dataset: line.digest for line in outcome.datasets if line.dataset not in ALONE[parts[0]]}
        assert others == {name: digest for name, digest in whole.digests.items() if name not in ALONE[parts[0]]}


def _a_damaged_calendar_is_stored_or_refused(whole, data):
    part = data.draw(st.sampled_from(CALENDAR))
    given = data.draw(mutated(whole.sound[part], most=2))
    whole.served.faults.clear()
    whole.served.faults[part] = body(lambda _: given)
    try:
        refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport, renew=True)
    except F1AssetsError:
        pass
    finally:
        whole.served.faults.clear()
        refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport, renew=True)
    assert len([event for event in events_of(whole.warehouse, 2025) if not event.cancelled]) == 2


CHECKS = (_a_damaged_feed_costs_its_datasets_alone, _a_damaged_calendar_is_stored_or_refused)


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=2, **FREELY)
@given(data=st.data())
def test_whatever_a_load_is_given(check, whole, data):
    check(whole, data)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=5, **FREELY)
@given(data=st.data())
def test_whatever_a_load_is_given_for_long(check, whole, data):
    check(whole, data)


@pytest.mark.long
# To make a body of a megabyte smaller step by step would take longer than a test may.
@settings(max_examples=3, phases=(Phase.reuse, Phase.generate), **FREELY)
@given(data=st.data())
def test_whatever_becomes_of_what_was_recorded(recorded, data):
    _a_damaged_feed_costs_its_datasets_alone(recorded, data)


# What was found so, each as small as it was found.


@pytest.mark.parametrize(
    ("part", "before", "after", "dataset", "reason"),
    [
        (
            MESSAGES,
            b"GREEN LIGHT",
            b"\\ud800",
            "race_control_messages",
            "message has a text with half a character in it",
        ),
        pytest.param(
            MESSAGES,
            b"GREEN LIGHT",
            b"\\u0000",
            "race_control_messages",
            "message has a text with a NUL in it",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "/results.json",
            b'"laps": "5"',
            b'"laps": "99999999999"',
            "results",
            "laps has a number beyond 2,147,483,647",
            marks=pytest.mark.long,
        ),
        (WEATHER, b'"AirTemp":"26.9"', b'"AirTemp":"1e999"', "weather", "air_temperature_c has a number without end"),
    ],
)
def test_what_no_column_holds_fails_its_dataset(whole, part, before, after, dataset, reason):
    found = whole.changed(part, before, after, dataset)[dataset]
    assert found.error_class == "UnreadableData"
    assert f"{dataset}.{reason}" in found.reason


def test_a_circuit_that_is_turned_without_end_is_not_stored(whole):
    found = whole.changed("/circuits/", b'"rotation": ', b'"rotation": 1e999, "was": ', "circuit")["circuit"]
    assert found.error_class == "UnreadableData"
    assert found.reason == "the circuit's rotation is inf, which is no angle"


def test_a_session_info_of_another_shape_costs_no_telemetry(whole):
    wanted = ("car_telemetry", "weather", "circuit")
    lines = whole.changed("SessionInfo.jsonStream", b'"Meeting":{', b'"Meeting":5,"Meetings":{', *wanted)
    assert {name: lines[name].digest for name in wanted[:2]} == {name: whole.digests[name] for name in wanted[:2]}


def test_a_load_that_fastf1_gives_up_costs_no_telemetry(whole, monkeypatch):
    def give_up(*_args, **_kwargs):
        raise RuntimeError("gave up")

    monkeypatch.setattr("fastf1.core.Session.load", give_up)
    lines = {line.dataset: line for line in whole.imported("car_telemetry", "drivers", "circuit").datasets}
    assert lines["car_telemetry"].digest == whole.digests["car_telemetry"]
    assert not lines["car_telemetry"].failed
    assert not lines["circuit"].failed
    assert "RuntimeError: gave up" in lines["drivers"].reason


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("schedule_2025.json", b'"round_number": {', b'"round_number": {"x": "y", "z": {'),
        ("schedule_2025.json", b'"round_number": {"0": 1', b'"round_number": {"0": 2'),
        ("schedule_2025.json", b'"round_number": {"0": 1', b'"round_number": {"0": 4000000000'),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_and_not_kept(whole, part, before, after):
    sound = whole.sound[part]
    assert before in sound
    given = sound.replace(before, after + b"}" if after.endswith(b"{") else after, 1)
    whole.transport.discard("")
    whole.served.faults.clear()
    whole.served.faults[part] = body(lambda _: given)
    with pytest.raises(UpstreamError, match="schedule of season 2025"):
        refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport)
    whole.served.faults.clear()
    assert refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport).events == 2


def test_entries_of_the_season_index_that_cannot_be_read_are_ignored(whole, caplog):
    given = whole.sound["Index.json"].replace(b'"Circuit"', b'"Circus"', 1)
    whole.served.faults.clear()
    whole.served.faults["Index.json"] = body(lambda _: given)
    refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport, renew=True)
    _first, second = events_of(whole.warehouse, 2025)
    assert second.circuit_key is not None
    assert "5 entries of F1's index cannot be read" in caplog.text
    whole.served.faults.clear()
    refresh_calendar(2025, warehouse=whole.warehouse, transport=whole.transport, renew=True)
