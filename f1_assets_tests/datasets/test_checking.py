"""Every rule of every dataset: kept by a simulated race and qualifying, and told with its rows where data is broken."""

import contextlib
import copy
from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import select, update

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, checking, extracted_datasets
from f1_assets.datasets.checking import AS_STORED, State, check_session, why_short
from f1_assets.datasets.definition import Check, Severity
from f1_assets.errors import UsageError
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import Status, of_session, sessions

SIMULATED = "laps=12,samples_every=40,drivers=10"
RACE = SessionKey(2025, 1, "R")
QUALIFYING = SessionKey(2025, 1, "Q")
NOT_HERE = SessionKey(2025, 1, "FP1")
PRACTICE = SessionKey(2025, 1, "FP2")
ALL_RULES = {
    (name, rule) for name, dataset in all_datasets().items() for rule in (AS_STORED, *(c.name for c in dataset.checks))
}


def _imported(home, simulator, season, keys=None):
    settings = load_settings(home=home, source="simulator", simulator=simulator)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(season, warehouse=warehouse, transport=transport)
    for key in keys or dict.fromkeys(state.key for state in dataset_states(warehouse, [season])):
        process_session_gap(SessionGap(key, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    transport.close()
    return warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """A simulated race, its qualifying and a practice, shared: whoever changes them puts them back."""
    opened = _imported(tmp_path_factory.mktemp("home"), SIMULATED, 2025, [RACE, QUALIFYING, PRACTICE])
    yield opened
    opened.close()


def _rows(warehouse, key, dataset):
    definition = all_datasets()[dataset]
    frame = warehouse.rows(definition, key).drop(columns=["season", "round", "session"])
    return frame if definition.in_lake else definition.typed(frame)


@contextlib.contextmanager
def _stored(warehouse, key, dataset, frame):
    """Have other rows in the warehouse for a while."""
    before = _rows(warehouse, key, dataset)
    warehouse.replace(key, all_datasets()[dataset], frame)
    try:
        yield
    finally:
        warehouse.replace(key, all_datasets()[dataset], before)


def _told(warehouse, key):
    """Return the broken rules, each with how many rows break it and which."""
    findings = check_session(warehouse, key)
    return {
        (f.dataset, f.check): (f.broken, f.examples.to_dict("records")) for f in findings if f.state is State.BROKEN
    }


def test_a_simulated_race_qualifying_and_practice_keep_every_rule(warehouse):
    findings = [finding for key in (RACE, QUALIFYING, PRACTICE) for finding in check_session(warehouse, key)]
    assert [(f.dataset, f.check, f.reason) for f in findings if f.state is State.BROKEN] == []
    # Cars have one speed for some laps by chance, as real ones do.
    assert {f.check for f in findings if f.broken} <= {"speeds_change"}
    assert [why_short(warehouse, key) for key in (RACE, QUALIFYING, PRACTICE, NOT_HERE)] == [{}, {}, {}, {}]
    # Not every session is neutralised, and no rows can be as they were stored.
    assert all(f.rows > 0 or f.dataset == "neutralisations" for f in findings if f.state is State.PASSED)
    assert {(f.dataset, f.check) for f in findings if f.state is State.PASSED} == ALL_RULES


def test_a_session_may_be_named_in_text(warehouse):
    assert check_session(warehouse, "2025-01-R", ["weather"]) == check_session(warehouse, RACE, ["weather"]) != []
    with pytest.raises(UsageError):
        check_session(warehouse, "2025-R-01")


@pytest.mark.long
@pytest.mark.parametrize(("season", "races"), [(2018, 1), (2023, 2)])
def test_a_simulated_season_keeps_every_rule(tmp_path, season, races):
    shape = f"races={races},sprints={races - 1},tests={2 - races}"
    simulator = f"{shape},laps=12,samples_every=50,drivers=6,seed={season}"
    warehouse = _imported(tmp_path / "home", simulator, season)
    keys = {line.key for line in warehouse.extractions()}
    assert len(keys) >= 3 * (2 - races) + 5 * races
    findings = [finding for key in keys for finding in check_session(warehouse, key)]
    assert [(f.key, f.dataset, f.check, f.reason) for f in findings if f.state is State.BROKEN] == []
    assert {f.check for f in findings if f.broken} <= {"speeds_change"}
    assert [why_short(warehouse, key) for key in keys] == [{}] * len(keys)


def _middle_lap(frame, number):
    """Find a lap of a driver that is neither his first nor his last, nor his best."""
    own = frame[frame["driver_number"] == number]
    return own.index[(own["lap_number"] > 1) & (own["lap_time_ms"] != own["lap_time_ms"].min())][1]


def _a_sector_is_shifted(frame):
    at = _middle_lap(frame, "12")
    while pd.isna(frame.at[at, "lap_time_ms"]) or pd.isna(frame.at[at, "sector1_time_ms"]):
        at += 1
    frame.at[at, "sector2_time_ms"] += 3
    return frame, frame.loc[[at]]


def _a_lap_is_missing(frame):
    at = _middle_lap(frame, "12")
    return frame.drop(at), frame.loc[[at + 1]]


def _the_first_lap_is_missing(frame):
    first = frame.index[(frame["driver_number"] == "15") & (frame["lap_number"] == 1)]
    return frame.drop(first), frame.loc[first + 1]


def _a_lap_ends_before_it_begins(frame):
    at = _middle_lap(frame, "12")
    frame.at[at, "session_time_ms"] = frame.at[at, "lap_start_time_ms"] - 1
    return frame, frame.loc[[at]]


def _two_share_a_place(frame):
    frame.loc[frame["position"] == 7, "position"] = 6
    return frame, frame[frame["position"] == 6]


def _two_swap_places(frame):
    second, third = (frame["position"] == place for place in (2, 3))
    frame.loc[second, "position"], frame.loc[third, "position"] = 3, 2
    return frame, frame[second | third]


def _a_best_time_was_never_driven(frame):
    pole = frame["position"] == 1
    frame.loc[pole, "q3_ms"] -= 250
    return frame, frame[pole]


def _the_air_is_too_thick(frame):
    frame.loc[[3, 9], "pressure_mbar"] = 1200.0
    frame.loc[[5], "humidity_pct"] = 101.0
    return frame, frame.loc[[3, 5, 9]]


def _the_stations_stop_for_six_minutes(frame):
    since = frame["session_time_ms"] - frame.at[40, "session_time_ms"]
    return frame[~since.between(1, 6 * 60_000)], frame[since > 6 * 60_000].head(1)


def _the_stations_start_late(frame):
    late = frame[frame["session_time_ms"] > 70 * 60_000]
    return late, late.head(1)


def _the_stations_stop_early(frame):
    early = frame.head(40)
    return early, early.tail(1)


def _a_message_is_an_hour_old(frame):
    frame.loc[[4], "utc"] -= pd.Timedelta(hours=1)
    return frame, frame.loc[[4]]


def _the_last_change_is_early(frame):
    frame.loc[frame.index[-1], "session_time_ms"] = 0
    return frame, frame.tail(1)


def _the_session_never_starts(frame):
    frame = frame[frame["status"] != "Started"]
    return frame, frame[frame["status"].isin(["Aborted", "Finished", "Finalised"])]


def _cars_fly(frame):
    frame.loc[[10, 500, 501], "speed_kmh"] = 401
    return frame, frame.loc[[10, 500, 501]]


def _a_stint_is_not_known(frame):
    lost = (frame["driver_number"] == "12") & (frame["lap_number"] <= 2)
    frame.loc[lost, ["stint", "compound", "tyre_life_laps"]] = pd.NA
    return frame, frame[lost]


def _no_tyres_are_known(frame):
    frame[["stint", "compound", "tyre_life_laps"]] = pd.NA
    return frame, frame


def _a_stint_is_left_out(frame):
    later = frame["stint"] > 1
    frame.loc[later, "stint"] += 1
    return frame, frame[later & (frame["stint"].shift() == 1)]


def _a_stint_goes_back(frame):
    at = frame.index[frame["stint"] > 1][-1]
    frame.loc[at, ["stint", "tyre_life_laps"]] = 1, pd.NA
    return frame, frame.loc[[at]]


def _a_set_is_younger_than_its_stint(frame):
    at = frame.index[(frame["driver_number"] == "12") & (frame["lap_number"] == 2)]
    frame.loc[at, "tyre_life_laps"] = 1
    return frame, frame.loc[[at[0], at[0] + 1]]


def _sets_are_too_old(frame):
    own = frame["driver_number"] == "12"
    frame.loc[own, "tyre_life_laps"] += 100
    return frame, frame[own]


def _a_speed_sticks(frame):
    own = frame["driver_number"] == "12"
    frame.loc[own, "speed_st_kmh"] = 301.0
    return frame, frame[own]


def _many_speeds_stick_for_four_laps(frame):
    some = frame["driver_number"].isin(frame["driver_number"].unique()[:5]) & frame["lap_number"].between(4, 7)
    frame.loc[some, "speed_i1_kmh"] = 251.0
    return frame, frame[some]


def _a_trap_is_silent(frame):
    after = frame["lap_number"] >= 7
    frame.loc[after, "speed_i2_kmh"] = pd.NA
    looked_at = frame["pit_in_time_ms"].isna() & frame["pit_out_time_ms"].isna() & ~frame["fastf1_generated"]
    return frame, frame[after & looked_at]


def _a_first_lap_is_off_the_clock(frame):
    at = frame.index[(frame["driver_number"] == "12") & (frame["lap_number"] == 1)]
    frame.loc[at, "lap_time_ms"] += 1_500
    return frame, frame.loc[at]


def _two_share_a_place_on_a_lap(frame):
    on_lap = frame["lap_number"] == 5
    frame.loc[on_lap & (frame["position"] == 4), "position"] = 3
    return frame, frame[on_lap & (frame["position"] == 3)].tail(1)


def _a_place_is_left_out(frame):
    frame.loc[frame["position"] >= 5, "position"] += 1
    return frame, frame[frame["position"] == 6]


def _nobody_has_a_time(frame):
    frame[["q1_ms", "q2_ms", "q3_ms"]] = pd.NA
    return frame, frame


def _two_end_in_one_place(frame):
    last = frame.sort_values("session_time_ms").drop_duplicates("driver_number", keep="last")
    frame.loc[last.index[last["position"] == 8], "position"] = 7
    return frame, frame.loc[last.index[last["position"].isin([7, 8])]].sort_values("session_time_ms").tail(1)


BROKEN = [
    (RACE, "laps", _a_stint_is_not_known, "laps_have_tyres"),
    (RACE, "laps", _no_tyres_are_known, "laps_have_tyres"),
    (RACE, "laps", _a_stint_is_left_out, "stints_follow_each_other"),
    (RACE, "laps", _a_stint_goes_back, "stints_follow_each_other"),
    (RACE, "laps", _a_set_is_younger_than_its_stint, "tyres_age_with_the_laps"),
    (RACE, "laps", _sets_are_too_old, "tyres_age_with_the_laps"),
    (RACE, "laps", _a_speed_sticks, "speeds_are_not_stuck"),
    (RACE, "laps", _many_speeds_stick_for_four_laps, "speeds_change"),
    (RACE, "laps", _a_trap_is_silent, "traps_are_not_silent"),
    (RACE, "laps", _a_first_lap_is_off_the_clock, "first_laps_fit_the_clock"),
    (RACE, "laps", _two_share_a_place_on_a_lap, "places_are_whole"),
    (RACE, "results", _a_place_is_left_out, "places_have_no_holes"),
    (QUALIFYING, "results", _nobody_has_a_time, "qualifying_has_times"),
    (RACE, "intervals", _two_end_in_one_place, "last_places_are_whole"),
    (QUALIFYING, "laps", _a_sector_is_shifted, "sectors_sum_to_lap"),
    (QUALIFYING, "laps", _a_lap_is_missing, "laps_follow_each_other"),
    (QUALIFYING, "laps", _the_first_lap_is_missing, "laps_follow_each_other"),
    (QUALIFYING, "laps", _a_lap_ends_before_it_begins, "laps_end_after_they_begin"),
    (QUALIFYING, "results", _two_share_a_place, "places_are_unique"),
    (RACE, "results", _two_swap_places, "finish_is_as_driven"),
    (QUALIFYING, "results", _a_best_time_was_never_driven, "best_times_are_driven"),
    (RACE, "weather", _the_air_is_too_thick, "values_are_possible"),
    (RACE, "weather", _the_stations_stop_for_six_minutes, "measurements_follow_each_other"),
    (RACE, "weather", _the_stations_start_late, "session_is_covered"),
    (RACE, "weather", _the_stations_stop_early, "session_is_covered"),
    (RACE, "race_control_messages", _a_message_is_an_hour_old, "times_go_forward"),
    (RACE, "track_status", _the_last_change_is_early, "times_go_forward"),
    (RACE, "session_status", _the_last_change_is_early, "times_go_forward"),
    (RACE, "session_status", _the_session_never_starts, "course_is_possible"),
    (RACE, "car_telemetry", _cars_fly, "speeds_are_possible"),
]


@pytest.mark.parametrize(("key", "dataset", "break_it", "check"), BROKEN, ids=[case[2].__name__[1:] for case in BROKEN])
def test_broken_data_is_told_by_its_rule_alone_with_its_rows(warehouse, key, dataset, break_it, check):
    frame, expected = break_it(_rows(warehouse, key, dataset))
    with _stored(warehouse, key, dataset, frame):
        told = _told(warehouse, key)
    assert list(told) == [(dataset, check)]
    broken, examples = told[dataset, check]
    assert broken == len(expected) > 0
    identity = list(all_datasets()[dataset].key)
    found = [tuple(row[name] for name in identity) for row in examples]
    right = sorted(expected[identity].itertuples(index=False, name=None))
    assert len(found) == min(len(right), checking.EXAMPLES)
    assert set(found) <= set(right)


@pytest.mark.parametrize(
    ("session", "compounds", "told"),
    [
        ("R", [None, None], 2),
        ("Q", [None, None], 2),
        ("FP1", [None, None], 2),
        ("T1-1", [None, None], 0),
        ("T1-1", ["SOFT", None], 1),
        ("R", ["SOFT", "HARD"], 0),
    ],
)
def test_only_a_test_may_have_no_tyres_at_all(session, compounds, told):
    (rule,) = (check for check in all_datasets()["laps"].checks if check.name == "laps_have_tyres")
    assert len(rule.test(pd.DataFrame({"session": session, "stint": 1, "compound": compounds}))) == told


def test_a_lap_fewer_than_the_result_counts_is_told_with_the_driver_and_not_as_another_order(warehouse):
    results, laps = _rows(warehouse, RACE, "results"), _rows(warehouse, RACE, "laps")
    second = results.loc[results["position"] == 2, "driver_number"].item()
    last = laps.index[laps["driver_number"] == second][-1]
    with _stored(warehouse, RACE, "laps", laps.drop(last)):
        told = _told(warehouse, RACE)
    # The others' places on that lap have a hole where his was.
    assert list(told) == [("laps", "places_are_whole"), ("results", "laps_are_as_counted")]
    broken, examples = told["results", "laps_are_as_counted"]
    assert broken == 1
    assert (examples[0]["driver_number"], examples[0]["laps"], examples[0]["laps_stored"]) == (second, 12, 11)


def test_a_lap_more_is_told_unless_it_was_not_finished(warehouse):
    laps = _rows(warehouse, RACE, "laps")
    last = laps[laps["driver_number"] == "12"].tail(1)
    begins, ends = last["session_time_ms"].item(), last["session_time_ms"].item() + 90_000
    more = last.assign(
        lap_number=last["lap_number"] + 1,
        lap_start_time_ms=begins,
        session_time_ms=ends,
        tyre_life_laps=last["tyre_life_laps"] + 1,
        position=1,
    )
    with _stored(warehouse, RACE, "laps", pd.concat([laps, more])):
        assert list(_told(warehouse, RACE)) == [
            ("laps", "laps_reach_the_distance"),
            ("results", "laps_are_as_counted"),
        ]
    more["lap_time_ms"] = pd.array([None], dtype="Int64")
    with _stored(warehouse, RACE, "laps", pd.concat([laps, more])):
        assert _told(warehouse, RACE) == {}


def test_a_faster_lap_that_counts_is_told_and_one_that_was_deleted_is_not(warehouse):
    laps = _rows(warehouse, QUALIFYING, "laps")
    sectors = ["sector1_time_ms", "sector2_time_ms", "sector3_time_ms"]
    at = _middle_lap(laps, "15")
    laps.loc[at, sectors], laps.loc[at, "lap_time_ms"], laps.loc[at, "deleted"] = pd.NA, 60_000, False
    with _stored(warehouse, QUALIFYING, "laps", laps):
        told = _told(warehouse, QUALIFYING)
    assert list(told) == [("results", "best_times_are_driven")]
    assert [(row["driver_number"], row["fastest_lap_ms"]) for row in told["results", "best_times_are_driven"][1]] == [
        ("15", 60_000)
    ]
    for deleted in (True, pd.NA):
        laps.loc[at, "deleted"] = deleted
        with _stored(warehouse, QUALIFYING, "laps", laps):
            assert _told(warehouse, QUALIFYING) == {}


def test_a_driver_who_is_not_in_the_list_is_told_by_every_dataset_that_has_him(warehouse):
    drivers = _rows(warehouse, RACE, "drivers")
    with _stored(warehouse, RACE, "drivers", drivers[drivers["driver_number"] != "12"]):
        findings = [f for f in check_session(warehouse, RACE) if f.state is State.BROKEN]
    # What is derived has the drivers of its inputs, of which it is told.
    having = [n for n, dataset in extracted_datasets().items() if "driver_number" in {c.name for c in dataset.columns}]
    rows = {name: (_rows(warehouse, RACE, name)["driver_number"] == "12").sum() for name in having if name != "drivers"}
    assert {"laps", "intervals", "results"} < rows.keys()
    of_him = [f for f in findings if f.check == "drivers_are_known"]
    assert {f.dataset: f.broken for f in of_him} == {name: count for name, count in rows.items() if count}
    assert all(set(f.examples["driver_number"]) == {"12"} for f in of_him)
    # Of one driver fewer, the last place is none.
    assert {f.check for f in findings if f not in of_him} == {"places_are_of_the_field"}
    assert {f.dataset for f in findings if f.severity is Severity.ERROR} == {"laps", "results"}


def test_safety_cars_have_positions_without_being_drivers(warehouse):
    positions = _rows(warehouse, RACE, "position_telemetry")
    for number, expected in (("241", {}), ("98", {"drivers_are_known": 1})):
        stray = positions.head(1).assign(driver_number=pd.array([number], dtype="string"))
        with _stored(warehouse, RACE, "position_telemetry", pd.concat([positions, stray])):
            told = {check: broken for (_, check), (broken, _) in _told(warehouse, RACE).items()}
        assert told == expected


@pytest.mark.parametrize("dataset", ["car_telemetry", "position_telemetry"])
def test_laps_of_a_car_without_samples_are_told(warehouse, dataset):
    samples, laps = _rows(warehouse, RACE, dataset), _rows(warehouse, RACE, "laps")
    with _stored(warehouse, RACE, dataset, samples[samples["driver_number"] != "12"]):
        told = _told(warehouse, RACE)
        finding = next(f for f in check_session(warehouse, RACE, [dataset]) if f.check == "laps_are_covered")
    assert list(told) == [(dataset, "laps_are_covered")]
    assert finding.broken == (laps["driver_number"] == "12").sum()
    assert finding.rows == len(laps)
    assert set(finding.examples["driver_number"]) == {"12"}
    assert set(finding.examples["covered_share"]) == {0.0}


def test_what_is_tolerated_passes_and_is_counted_all_the_same(warehouse):
    samples, laps = _rows(warehouse, RACE, "car_telemetry"), _rows(warehouse, RACE, "laps")
    lap = laps.loc[_middle_lap(laps, "12")]
    inside = samples["session_time_ms"].between(lap["lap_start_time_ms"], lap["session_time_ms"])
    with _stored(warehouse, RACE, "car_telemetry", samples[~(inside & (samples["driver_number"] == "12"))]):
        found = {f.check: f for f in check_session(warehouse, RACE, ["car_telemetry"])}
    covered = found["laps_are_covered"]
    assert (covered.state, covered.broken) == (State.PASSED, 1)
    assert covered.rate == 1 / len(laps)
    assert covered.examples["lap_number"].tolist() == [lap["lap_number"]]
    assert "tolerated" in covered.reason


def _not_checked(warehouse, key, dataset):
    findings = check_session(warehouse, key, [dataset])
    return {f.check: f.reason for f in findings if f.state is State.NOT_CHECKED}


@pytest.mark.parametrize(("announced", "told"), [(11, ["12"]), (12, []), (13, ["12"]), (None, None)])
def test_a_race_that_ends_before_or_after_its_announced_distance_is_told(warehouse, announced, told):
    def announce(laps):
        with warehouse.engine.begin() as connection:
            is_race = of_session(sessions, RACE)
            connection.execute(update(sessions).where(is_race).values(laps_scheduled=laps))

    assert warehouse.query(select(sessions.c.laps_scheduled).where(of_session(sessions, RACE))).iat[0, 0] == 12
    announce(announced)
    findings = {finding.check: finding for finding in check_session(warehouse, RACE, ["laps"])}
    announce(12)
    finding = findings["laps_reach_the_distance"]
    if told is None:
        assert finding.state is State.NOT_CHECKED
        assert "LapCount" in finding.reason
        return
    assert finding.state is (State.BROKEN if told else State.PASSED)
    if told:
        assert set(finding.examples["lap_number"].astype(str)) == set(told)
        assert set(finding.examples["laps_scheduled"]) == {announced}


def test_a_rule_with_a_defect_is_told_and_hides_no_other(warehouse, monkeypatch):
    laps = all_datasets()["laps"]

    def broken(_frame):
        raise KeyError("lap_time_ms")

    first, *others = laps.checks
    defective = copy.copy(laps)
    object.__setattr__(defective, "checks", (replace(first, test=broken), *others))
    monkeypatch.setattr(checking, "named", lambda _names: [defective])
    findings = {finding.check: finding for finding in check_session(warehouse, RACE)}
    assert findings.keys() == {AS_STORED, *(check.name for check in laps.checks)}
    told = findings.pop(first.name)
    assert (told.state, told.severity, told.reason) == (State.BROKEN, Severity.ERROR, "defect: KeyError: 'lap_time_ms'")
    others = {finding.check: finding.state for finding in findings.values()}
    assert others.pop("practice_goes_on_to_the_end") is State.NOT_CHECKED
    assert set(others.values()) == {State.PASSED}


def test_a_rule_with_a_defect_is_no_reason_to_ask_for_anything(warehouse, monkeypatch):
    laps = all_datasets()["laps"]
    defective = copy.copy(laps)
    checks = [replace(c, test=lambda *_frames, **_beside: 1 / 0) for c in laps.checks if c.means_short]
    object.__setattr__(defective, "checks", tuple(checks))
    monkeypatch.setattr(checking, "named", lambda _names: [defective])
    assert why_short(warehouse, RACE) == {}


def test_rules_for_other_sessions_are_not_checked_and_say_so(warehouse):
    only = "it is for Q, SQ, SS only"
    assert _not_checked(warehouse, RACE, "results") == {"best_times_are_driven": only, "qualifying_has_times": only}
    assert set(_not_checked(warehouse, QUALIFYING, "results")) == {"laps_are_as_counted", "finish_is_as_driven"}


def test_what_is_not_stored_is_not_checked_and_says_so(warehouse):
    findings = check_session(warehouse, NOT_HERE)
    assert {f.state for f in findings} == {State.NOT_CHECKED}
    assert {(f.dataset, f.check) for f in findings} == ALL_RULES
    assert next(f.reason for f in findings if f.dataset == "weather") == "weather: missing"


def test_rules_that_need_another_dataset_are_not_checked_without_it(warehouse, monkeypatch):
    lines = warehouse.extractions(RACE)
    lost = [replace(li, status=Status.UNAVAILABLE) if li.dataset in ("laps", "drivers") else li for li in lines]
    monkeypatch.setattr(warehouse, "extractions", lambda key: lost)
    reasons = _not_checked(warehouse, RACE, "results")
    assert reasons["laps_are_as_counted"] == "laps: unavailable"
    assert reasons["drivers_are_known"] == "drivers: unavailable"
    assert "places_are_unique" not in reasons


def test_a_file_that_is_gone_is_not_checked_and_says_so(warehouse, monkeypatch):
    lines = warehouse.extractions(RACE)
    monkeypatch.setattr(warehouse, "extractions", lambda key: [replace(li, file="gone.parquet") for li in lines])
    reasons = _not_checked(warehouse, RACE, "car_telemetry")
    assert len(reasons) == 4
    assert all("gone.parquet cannot be read" in reason for reason in reasons.values())


def test_of_the_lake_only_the_columns_that_are_looked_at_are_read(warehouse, monkeypatch):
    seen = []
    check = Check("look", "Looks.", lambda frame: seen.append(list(frame.columns)) or frame.head(7), columns=("gear",))
    looked_at = replace(all_datasets()["car_telemetry"], checks=(check,))
    monkeypatch.setattr(checking, "named", lambda _names: [looked_at])
    finding = check_session(warehouse, RACE)[1]
    assert seen == [["driver_number", "session_time_ms", "gear"]]
    assert (finding.broken, len(finding.examples)) == (7, 5)


def test_a_column_without_any_value_breaks_no_rule(warehouse):
    laps = _rows(warehouse, RACE, "laps")
    empty = laps.assign(sector1_time_ms=pd.NA, lap_start_time_ms=pd.NA, deleted=pd.NA, fastf1_generated=pd.NA)
    with _stored(warehouse, RACE, "laps", empty):
        assert _told(warehouse, RACE) == {}


def test_every_rule_is_held_against_datasets_that_exist():
    for name, dataset in all_datasets().items():
        for check in dataset.checks:
            assert check.description.endswith("."), (name, check.name)
            assert {*check.beside} <= {*all_datasets(), "sessions"} - {name}
            assert check.of is None or check.of in check.beside
            assert check.sessions is None or check.sessions <= dataset.sessions
            assert {*(check.columns or ())} <= {column.name for column in dataset.columns}
            assert not dataset.in_lake or check.columns is not None, "the lake is read in full"
        assert len({check.name for check in dataset.checks}) == len(dataset.checks)
