"""Every endpoint over real HTTP, held against the stored rows."""

import csv
import io
import itertools
from operator import eq, ge, gt, le, lt
from urllib.parse import quote

import pandas as pd
import pytest
import requests
from sqlalchemy import text

from f1_assets.api import endpoint
from f1_assets.api.answers import entity_tag, query_of, stamps_of
from f1_assets.api.endpoints import endpoints
from f1_assets.api.kept import Kept, Whole
from f1_assets.keys import SessionKey
from f1_assets_tests.api.conftest import SEASON, answer

pytestmark = pytest.mark.xdist_group("api")  # one process imports the season for both files

RACE, SPRINT, QUALIFYING, PRACTICE, LAST_RACE = (
    SessionKey.parse(key) for key in ("2025-01-R", "2025-02-S", "2025-01-Q", "2025-01-FP1", "2025-02-R")
)
TELEMETRY = ("car_data", "location")


@pytest.fixture(scope="module")
def keys(warehouse):
    """F1's own key of each session."""
    with warehouse.engine.connect() as connection:
        rows = connection.execute(text("SELECT season, round, session, session_key FROM sessions")).all()
    return {SessionKey(season, round, session): key for season, round, session, key in rows}


@pytest.fixture(scope="module")
def ask(api, keys):
    """Ask an endpoint for the rows of a session."""

    def of(endpoint, key, more=""):
        answer = api.get(f"/v1/{endpoint}?session_key={keys[key]}{more}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return of


def test_there_are_the_endpoints_of_openf1():
    assert sorted(endpoints()) == [
        "car_data",
        "championship_drivers",
        "championship_teams",
        "drivers",
        "intervals",
        "laps",
        "location",
        "meetings",
        "overtakes",
        "pit",
        "position",
        "race_control",
        "session_result",
        "sessions",
        "starting_grid",
        "stints",
        "team_radio",
        "weather",
    ]


@pytest.mark.parametrize("name", sorted(endpoints()))
def test_a_row_has_every_field_and_no_other(api, name):
    rows = api.get(f"/v1/{name}?meeting_key=7502{'&driver_number=12' if name in TELEMETRY else ''}").json()
    assert rows
    assert {tuple(row) for row in rows} == {tuple(endpoints()[name].all_fields)}


@pytest.mark.parametrize(
    ("name", "dataset", "key"),
    [
        ("drivers", "drivers", RACE),
        ("laps", "laps", PRACTICE),
        ("intervals", "intervals", RACE),
        ("pit", "pit_stops", RACE),
        ("stints", "stints", QUALIFYING),
        ("overtakes", "overtakes", RACE),
        ("race_control", "race_control_messages", RACE),
        ("team_radio", "team_radio", RACE),
        ("weather", "weather", SPRINT),
        ("session_result", "results", RACE),
        ("session_result", "practice_results", PRACTICE),
        ("car_data", "car_telemetry", PRACTICE),
        ("location", "position_telemetry", PRACTICE),
        ("championship_drivers", "driver_standings", RACE),
        ("championship_teams", "constructor_standings", RACE),
    ],
)
def test_there_are_as_many_rows_as_are_stored(ask, warehouse, name, dataset, key):
    stored = warehouse.rows(dataset, key)
    assert len(ask(name, key)) == len(stored) > 0


def test_laps_are_the_stored_ones_in_seconds(ask, warehouse):
    stored = warehouse.rows("laps", RACE)
    rows = ask("laps", RACE)
    assert [str(row["driver_number"]) for row in rows] == stored["driver_number"].tolist()
    assert [row["lap_duration"] for row in rows] == _plain(stored["lap_time_ms"] / 1000)
    assert [row["duration_sector_2"] for row in rows] == _plain(stored["sector2_time_ms"] / 1000)
    assert [row["st_speed"] for row in rows] == _plain(stored["speed_st_kmh"])
    assert [_moment(row["date_start"]) for row in rows] == _plain(stored["lap_start_utc"])
    assert {row["is_pit_out_lap"] for row in rows} == {False, True}
    segments = warehouse.rows("mini_sectors", RACE)
    of_one = segments[(segments["driver_number"] == "12") & (segments["lap_number"] == 2) & (segments["sector"] == 2)]
    lap = next(row for row in rows if (row["driver_number"], row["lap_number"]) == (12, 2))
    assert lap["segments_sector_2"] == of_one.sort_values("segment")["status"].tolist() != []


def test_samples_have_the_units_of_openf1(ask, warehouse):
    stored = warehouse.rows("car_telemetry", RACE)
    stored = stored[stored["driver_number"] == "12"].reset_index(drop=True)
    rows = ask("car_data", RACE, "&driver_number=12")
    assert [(row["speed"], row["rpm"], row["n_gear"], row["throttle"], row["drs"]) for row in rows] == list(
        stored[["speed_kmh", "rpm", "gear", "throttle_pct", "drs"]].itertuples(index=False, name=None)
    )
    assert [row["brake"] for row in rows] == (stored["brake"].astype(int) * 100).tolist()
    assert {row["brake"] for row in rows} == {0, 100}
    assert [_moment(row["date"]) for row in rows] == [_microseconds(each) for each in stored["utc"]]


def test_gaps_are_seconds_or_laps(ask, warehouse):
    stored = warehouse.rows("intervals", RACE)
    for row, own in zip(ask("intervals", RACE), stored.to_dict("records"), strict=True):
        if pd.notna(own["laps_behind_leader"]) and own["laps_behind_leader"] > 0:
            assert row["gap_to_leader"] == f"+{own['laps_behind_leader']} LAP{'S' * (own['laps_behind_leader'] > 1)}"
        elif pd.notna(own["gap_to_leader_ms"]):
            assert row["gap_to_leader"] == own["gap_to_leader_ms"] / 1000
        else:
            assert row["gap_to_leader"] is None


def test_a_place_is_told_when_it_changes(ask, warehouse):
    stored = warehouse.rows("intervals", RACE).dropna(subset=["position"])
    rows = ask("position", RACE)
    for number, own in stored.groupby("driver_number"):
        places = [row["position"] for row in rows if row["driver_number"] == int(number)]
        assert all(place != following for place, following in itertools.pairwise(places))
        assert places[0] == own.sort_values("session_time_ms")["position"].iloc[0]
        assert places[-1] == own.sort_values("session_time_ms")["position"].iloc[-1]


def test_results_say_who_won_by_how_much_and_who_did_not_finish(ask, warehouse):
    stored = warehouse.rows("results", RACE)
    rows = ask("session_result", RACE)
    assert [row["position"] for row in rows] == _plain(stored["position"])
    winner = rows[0]
    assert (winner["gap_to_leader"], winner["duration"]) == (0.0, stored["time_ms"].iloc[0] / 1000)
    for row, own in zip(rows, stored.to_dict("records"), strict=True):
        assert row["dnf"] == (own["classified_position"] in ("R", "N"))
        if isinstance(row["gap_to_leader"], float):
            assert row["gap_to_leader"] == pytest.approx(row["duration"] - winner["duration"])


def test_in_qualifying_times_and_gaps_are_those_of_the_three_parts(ask, warehouse):
    stored = warehouse.rows("results", QUALIFYING)
    rows = ask("session_result", QUALIFYING)
    parts = [
        [None if pd.isna(own[part]) else own[part] / 1000 for part in ("q1_ms", "q2_ms", "q3_ms")]
        for own in stored.to_dict("records")
    ]
    assert [row["duration"] for row in rows] == parts
    assert min(row["gap_to_leader"][0] for row in rows) == 0
    # The gap is to the fastest of all, also where one driver is asked for.
    number = rows[2]["driver_number"]
    assert ask("session_result", QUALIFYING, f"&driver_number={number}") == [rows[2]]


def test_the_grid_stands_under_the_key_of_the_qualifying(ask, warehouse):
    grid = {row["driver_number"]: row["position"] for row in ask("starting_grid", QUALIFYING)}
    stored = warehouse.rows("results", RACE)
    stored = stored[stored["grid_position"] > 0]
    assert grid == dict(zip(stored["driver_number"].astype(int), stored["grid_position"], strict=True))
    sprint = {row["driver_number"]: row["position"] for row in ask("starting_grid", SessionKey(SEASON, 2, "SQ"))}
    stored = warehouse.rows("results", SPRINT)
    stored = stored[stored["grid_position"] > 0]
    assert sprint == dict(zip(stored["driver_number"].astype(int), stored["grid_position"], strict=True))


def test_the_championship_begins_where_the_race_before_left_it(ask):
    first = {row["driver_number"]: row for row in ask("championship_drivers", RACE)}
    last = {row["driver_number"]: row for row in ask("championship_drivers", LAST_RACE)}
    assert {row["points_start"] for row in first.values()} == {0.0}
    assert {number: row["points_start"] for number, row in last.items()} == {
        number: row["points_current"] for number, row in first.items()
    }


def test_messages_of_a_qualifying_have_their_part(ask):
    phases = [row["qualifying_phase"] for row in ask("race_control", QUALIFYING)]
    assert {1, 2, 3} <= {*phases}
    assert phases == sorted(phases, key=lambda phase: phase or 0)
    assert {row["qualifying_phase"] for row in ask("race_control", RACE)} == {None}


def test_sessions_and_meetings_are_those_of_the_calendar(api, keys):
    sessions = api.get(f"/v1/sessions?year={SEASON}").json()
    assert {row["session_key"] for row in sessions} == {*keys.values()}
    race = next(row for row in sessions if row["session_key"] == keys[RACE])
    assert (race["session_name"], race["session_type"], race["gmt_offset"]) == ("Race", "Race", "03:00:00")
    assert (race["country_code"], race["country_key"], race["circuit_key"]) == ("MRD", 1000, 9000)
    meetings = api.get(f"/v1/meetings?year={SEASON}").json()
    assert len(meetings) == 3
    assert "session_key" not in meetings[0]
    assert {row["meeting_key"] for row in meetings} == {row["meeting_key"] for row in sessions}
    assert api.get("/v1/sessions?year=2018").json() == []


def test_a_country_of_which_nothing_is_stored_has_a_key_of_ours_and_the_answer_a_new_tag(api, keys, warehouse):
    before = api.get(f"/v1/meetings?year={SEASON}")
    with warehouse.engine.begin() as connection:
        rows = connection.execute(text("SELECT country_name FROM session_info WHERE round = 2")).scalars().all()
        connection.execute(text("UPDATE session_info SET country_key = NULL WHERE round = 2"))
        of_it = "WHERE dataset = 'session_info' AND round = 2"
        connection.execute(text(f"UPDATE extractions SET digest = 'another' {of_it}"))
    after = api.get(f"/v1/meetings?year={SEASON}")
    unknown = [row for row in after.json() if row["country_key"] < 0]
    assert [(row["country_name"], row["country_code"] != "") for row in unknown] == [(rows[0], True)]
    assert all(row["country_key"] > 0 for row in before.json())
    assert before.headers["etag"] != after.headers["etag"]


def test_latest_is_the_newest_that_has_begun(api, keys):
    rows = api.get("/v1/sessions?session_key=latest").json()
    assert [row["session_key"] for row in rows] == [keys[LAST_RACE]]
    assert {row["meeting_key"] for row in api.get("/v1/sessions?meeting_key=latest").json()} == {rows[0]["meeting_key"]}


def test_fields_are_filtered_by_value_and_by_what_is_more_or_less(ask):
    laps = ask("laps", RACE)
    times = sorted(row["lap_duration"] for row in laps if row["lap_duration"] is not None)
    half = times[len(times) // 2]
    assert ask("laps", RACE, f"&lap_duration>={half}") == [r for r in laps if (r["lap_duration"] or 0) >= half]
    assert ask("laps", RACE, f"&lap_duration%3C{half}") == [r for r in laps if (r["lap_duration"] or 999) < half]
    assert ask("laps", RACE, "&driver_number=12&driver_number=7&lap_number=2") == [
        row for row in laps if row["driver_number"] in (7, 12) and row["lap_number"] == 2
    ]
    assert ask("laps", RACE, "&is_pit_out_lap=true") == [row for row in laps if row["is_pit_out_lap"]]
    moment = next(row["date_start"] for row in laps if row["lap_number"] == 3)
    assert ask("laps", RACE, f"&date_start>{moment}") == [r for r in laps if (r["date_start"] or "") > moment]


STORED = [(name, field) for name, endpoint in sorted(endpoints().items()) for field in endpoint.stored_as]


@pytest.mark.parametrize(("name", "field"), STORED)
def test_what_is_asked_of_a_stored_column_is_not_read_and_dropped(warehouse, keys, monkeypatch, name, field):
    read = []
    monkeypatch.setattr(endpoint, "read_rows", _noting(endpoint.read_rows, read, endpoints()[name].datasets[0]))
    everything = answer(warehouse, name, f"session_key={keys[RACE]}")
    values = [row[field] for row in everything if row[field] is not None]
    middle = sorted(values)[len(values) // 2]
    for operator, holds in OPERATORS.items():
        read.clear()
        rows = answer(warehouse, name, f"session_key={keys[RACE]}&{field}{operator}{quote(str(middle), safe='')}")
        assert rows == [row for row in everything if row[field] is not None and holds(row[field], middle)]
        assert read == [len(rows)]


OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le, "=": eq}


def _noting(read_rows, read, dataset):
    def noting(warehouse, source, *arguments, **options):
        table = read_rows(warehouse, source, *arguments, **options)
        if source.name == dataset:
            read.append(table.num_rows)
        return table

    return noting


@pytest.mark.parametrize("name", [name for name, endpoint in sorted(endpoints().items()) if endpoint.is_kept])
def test_what_is_kept_is_answered_as_what_is_made_anew(warehouse, keys, monkeypatch, name):
    kept, key = Kept(), keys[RACE]
    everything = answer(warehouse, name, f"session_key={key}", kept)
    queries = [f"session_key={key}&limit=3&offset=2"]
    if "date" in endpoints()[name].fields:
        everything_of_the_year = f"session_key={key}&date>={SEASON}-01-01&date<={SEASON}-12-31"
        assert answer(warehouse, name, everything_of_the_year, kept) == everything
        queries.append(everything_of_the_year)
    if "driver_number" in endpoints()[name].fields:
        queries += [f"session_key={key}&driver_number={number}" for number in (7, 12)]
    fresh = [answer(warehouse, name, query) for query in queries]
    monkeypatch.setattr(endpoint, "read_rows", None)  # nothing is read any more
    assert answer(warehouse, name, f"session_key={key}", kept) == everything != []
    assert [answer(warehouse, name, query, kept) for query in queries] == fresh


def test_what_is_kept_counts_only_while_the_stored_rows_are_the_same(warehouse, keys):
    kept, key = Kept(), keys[SessionKey(SEASON, 1, "FP1")]
    before = answer(warehouse, "weather", f"session_key={key}", kept)
    of_it = "WHERE dataset = 'weather' AND round = 1 AND session = 'FP1'"
    with warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE weather SET humidity_pct = 99 WHERE round = 1 AND session = 'FP1'"))
        connection.execute(text(f"UPDATE extractions SET digest = 'another' {of_it}"))
    after = answer(warehouse, "weather", f"session_key={key}", kept)
    assert after == [{**row, "humidity": 99.0} for row in before]


def test_what_was_asked_for_longest_ago_is_dropped_first():
    kept = Kept(most_rows=5)
    made = {name: Whole(pd.DataFrame(), (b"{}",) * rows) for name, rows in (("a", 2), ("b", 2), ("c", 2), ("d", 9))}
    for name in ("a", "b", "a", "c"):
        assert kept.get(name, lambda name=name: made[name]) is made[name]
    anew = Whole(pd.DataFrame(), ())
    assert [kept.get(name, lambda: anew) is anew for name in ("a", "c", "b")] == [False, False, True]
    assert kept.get("d", lambda: made["d"]) is made["d"]
    assert [kept.get(name, lambda: anew) is anew for name in made] == [True] * 4


def test_who_asks_for_a_driver_again_is_answered_from_what_is_kept(warehouse, keys, monkeypatch):
    kept, key, read = Kept(), keys[RACE], []
    fresh = [answer(warehouse, "laps", f"session_key={key}&driver_number={number}") for number in (7, 12)]
    monkeypatch.setattr(endpoint, "read_rows", _noting(endpoint.read_rows, read, "laps"))
    assert answer(warehouse, "laps", f"session_key={key}&driver_number=7", kept) == fresh[0] != []
    assert sum(read) == len(fresh[0])  # one driver's laps are quickly read
    assert answer(warehouse, "laps", f"session_key={key}&driver_number=12", kept) == fresh[1] != []
    assert sum(read) > len(fresh[0]) + len(fresh[1])  # now everybody's were, once
    read.clear()
    assert [answer(warehouse, "laps", f"session_key={key}&driver_number={n}", kept) for n in (7, 12)] == fresh
    assert read == []


def test_of_what_was_asked_for_once_little_is_remembered(monkeypatch):
    monkeypatch.setattr("f1_assets.api.kept.MOST_MISSED", 2)
    kept = Kept()
    assert [kept.is_asked_for_again(name) for name in ("a", "b", "a", "c", "a", "b")] == [
        False, False, True, False, False, False,
    ]  # fmt: skip


def test_either_of_two_values_and_null_are_found(warehouse, keys):
    everything = answer(warehouse, "race_control", f"session_key={keys[RACE]}")
    laps = sorted({row["lap_number"] for row in everything if row["lap_number"] is not None})
    either = f"session_key={keys[RACE]}&lap_number={laps[0]}&lap_number={laps[-1]}"
    wanted = {laps[0], laps[-1]}
    assert answer(warehouse, "race_control", either) == [row for row in everything if row["lap_number"] in wanted]
    assert answer(warehouse, "race_control", f"{either}&lap_number=null") == [
        row for row in everything if row["lap_number"] in {*wanted, None}
    ]


def test_a_date_alone_finds_its_session(api, ask):
    day = ask("weather", RACE)[0]["date"][:10]
    found = api.get(f"/v1/weather?date={day}").json()
    assert {row["date"][:10] for row in found} == {day}
    assert ask("weather", RACE)[0] in found


def test_csv_has_sorted_columns_and_a_file_name_and_an_empty_one_is_its_header(api, keys, ask):
    answer = api.get(f"/v1/stints?session_key={keys[RACE]}&csv=true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename=stints.csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == sorted(rows[0])
    assert [int(row["lap_end"]) for row in rows] == [row["lap_end"] for row in ask("stints", RACE)]
    empty = api.get(f"/v1/stints?session_key={keys[RACE]}&stint_number=99&csv=true")
    assert (empty.status_code, empty.text.strip()) == (200, ",".join(sorted(endpoints()["stints"].all_fields)))


def test_an_answer_can_be_had_in_pieces(ask):
    everything = ask("laps", RACE)
    pieces = [row for offset in range(0, len(everything), 7) for row in ask("laps", RACE, f"&limit=7&offset={offset}")]
    assert pieces == everything
    assert ask("laps", RACE, "&limit=0") == []


def test_all_sessions_of_a_season_are_answered_one_after_the_other(api, ask, keys):
    rows = api.get("/v1/stints").json()
    assert [row for row in rows if row["session_key"] == keys[RACE]] == ask("stints", RACE)
    assert len({row["session_key"] for row in rows}) == len(keys)


def test_what_is_not_changed_is_not_sent_again(api, keys):
    address = f"/v1/laps?session_key={keys[RACE]}"
    tag = api.get(address).headers["etag"]
    again = api.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(f"{address}&lap_number=2").headers["etag"] != tag


@pytest.mark.parametrize("field", ["duration", "gap_to_leader"])
def test_lists_of_a_qualifying_are_left_out_where_a_number_is_asked_for(api, ask, field):
    races = [row for key in (RACE, SPRINT) for row in ask("session_result", key) if isinstance(row[field], float)]
    value = races[1][field]
    for operator, holds in OPERATORS.items():
        rows = api.get(f"/v1/session_result?{field}{operator}{value}").json()
        assert rows
        assert not any(isinstance(row[field], list) for row in rows)
        assert [row for row in races if holds(row[field], value)] == [row for row in rows if row in races]


@pytest.mark.parametrize(
    ("name", "asked", "dataset", "changed"),
    [
        ("starting_grid", QUALIFYING, "results", RACE),
        ("championship_drivers", LAST_RACE, "driver_standings", RACE),
        ("meetings", QUALIFYING, "session_info", RACE),
        ("sessions", QUALIFYING, "session_info", RACE),
    ],
)
def test_a_tag_changes_with_another_session_that_an_answer_is_made_of(warehouse, keys, name, asked, dataset, changed):
    where = f"FROM extractions WHERE dataset = '{dataset}' AND session = 'R' AND round = {changed.round}"

    def tag():
        with warehouse.engine.connect() as connection:
            meeting = connection.execute(text("SELECT meeting_key FROM events WHERE round = 1")).scalar()
        query = f"meeting_key={meeting}" if name == "meetings" else f"session_key={keys[asked]}"
        read = query_of(warehouse, endpoints()[name], query)
        return entity_tag(read, stamps_of(warehouse, read), query)

    before = tag()
    assert tag() == before
    with warehouse.engine.begin() as connection:
        (digest,) = connection.execute(text(f"SELECT digest {where}")).one()
        connection.execute(text(f"UPDATE extractions SET digest = 'other' {where.removeprefix('FROM extractions')}"))
    assert tag() != before
    with warehouse.engine.begin() as connection:
        connection.execute(text(f"UPDATE extractions SET digest = '{digest}' {where.removeprefix('FROM extractions')}"))
    assert tag() == before


def test_where_there_is_nothing_the_answer_says_why(api, keys, warehouse):
    with warehouse.engine.begin() as connection:
        connection.execute(text("DELETE FROM extractions WHERE dataset = 'team_radio' AND session = 'FP2'"))
        connection.execute(text("DELETE FROM team_radio WHERE session = 'FP2'"))
    answer = api.get(f"/v1/team_radio?session_key={keys[SessionKey(SEASON, 1, 'FP2')]}")
    assert (answer.status_code, answer.json(), answer.headers["f1-status"]) == (200, [], "missing")
    assert answer.headers["link"] == '</session/2025-01-FP2>; rel="describedby"'
    # Nothing is missing where a filter leaves nothing.
    assert "f1-status" not in api.get(f"/v1/team_radio?session_key={keys[RACE]}&driver_number=99").headers


def test_laps_of_which_no_mini_sectors_are_stored_have_none(ask, warehouse):
    key = SessionKey(SEASON, 1, "FP3")
    with warehouse.engine.begin() as connection:
        connection.execute(text("DELETE FROM extractions WHERE dataset = 'mini_sectors' AND session = 'FP3'"))
    rows = ask("laps", key)
    assert len(rows) == len(warehouse.rows("laps", key)) > 0
    assert {str(row["segments_sector_1"]) for row in rows} == {"[]"}


@pytest.mark.parametrize("name", TELEMETRY)
def test_telemetry_of_everything_is_refused_with_what_to_add(api, name):
    answer = api.get(f"/v1/{name}?speed>300" if name == "car_data" else f"/v1/{name}?x>0")
    assert answer.status_code == 400
    assert "session_key=latest" in answer.json()["error"]


BAD = ("nothing=1", "driver_number=x", "session_key=x", "limit=-1", "limit=x", "offset=1.5", "driver_number")


@pytest.mark.parametrize("name", sorted(endpoints()))
def test_a_wrong_query_is_a_400_that_says_what_is_wrong(api, name):
    for query in (*BAD, "year=1e9x", "date=x", "date_start=x", "'; DROP TABLE laps; --=1", "%00=1", "a" * 5_000 + "=1"):
        answer = api.get(f"/v1/{name}?{query}")
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["error"]


def test_text_that_is_sql_finds_nothing_and_changes_nothing(api, keys, ask, warehouse):
    before = len(warehouse.rows("drivers", RACE))
    for value in ("' OR '1'='1", "x'; DROP TABLE drivers; --", '" OR 1=1'):
        assert ask("drivers", RACE, f"&team_name={value}") == []
    assert len(warehouse.rows("drivers", RACE)) == before


def test_pages_of_others_may_read_and_nobody_may_write(api):
    answer = api.get("/v1/sessions?session_key=latest")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert requests.post(f"{api.url}/v1/sessions", timeout=30).status_code == 405
    lost = api.get("/v1/nothing")
    assert (lost.status_code, lost.json()["status"]) == (404, 404)


def _plain(values):
    plain = [None if pd.isna(value) else value for value in values]
    return [_microseconds(value) if isinstance(value, pd.Timestamp) else value for value in plain]


def _moment(value):
    return None if value is None else pd.Timestamp(value)


def _microseconds(value):
    return pd.Timestamp(value).floor("us")
