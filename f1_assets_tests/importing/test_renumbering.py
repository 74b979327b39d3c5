"""A season in which a race is cancelled and rounds move: data, partitions, standings and archive follow their event."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from f1_assets.datasets import all_datasets, named
from f1_assets.defs.calendars import record_calendar
from f1_assets.fetch.transport import Transport
from f1_assets.importing import import_season, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of as simulated_events
from f1_assets.simulator.schedules import schedule, season_index
from f1_assets.simulator.service import SimulatedResponse
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import events_of
from f1_assets_tests.fetch.server import services

POSTGRESQL_IS_EXHAUSTIVE = True

OPTIONS = SimulatorOptions.parse("races=4,tests=0,sprints=0,laps=5,samples_every=20,drivers=4")
SEASON = 2025
DATASETS = ("weather", "results", "circuit", "driver_standings")
"""One of each service: what moves with an event is the same for all."""


class _Renumbered(Simulator):
    """At first the second round is one that will never take place, and Jolpica counts as the calendar does."""

    is_early = True

    def respond(self, url):
        if not self.is_early:
            return super().respond(url)
        events = _with_a_round_that_is_cancelled_later()
        if url.endswith(f"schedule_{SEASON}.json"):
            return _answer(schedule(events))
        if url.endswith("Index.json"):
            return _answer(season_index(SEASON, events))
        for early, late in ((3, 2), (4, 3), (5, 4)):
            if f"/f1/{SEASON}/{early}/" in url:
                answer = super().respond(url.replace(f"/f1/{SEASON}/{early}/", f"/f1/{SEASON}/{late}/"))
                body = answer.body.replace(f'"round": "{late}"'.encode(), f'"round": "{early}"'.encode())
                return replace(answer, body=body)
        return super().respond(url)


def _with_a_round_that_is_cancelled_later():
    first, *rest = simulated_events(SEASON, OPTIONS)
    week, years = timedelta(days=7), timedelta(weeks=300)
    # Announced for the week after the first race, and far from over: nothing of it is ever imported.
    ghost = replace(
        first,
        round=2,
        name="Ghost Grand Prix",
        official_name="GHOST",
        meeting_key=99_999,
        place=replace(first.place, location="Ghost Town", name="Ghost"),
        last_day=first.last_day + week,
        sessions=tuple(
            replace(
                s,
                session_key=990_000 + index,
                start_local=s.start_local + years,
                start_utc=s.start_utc + years,
                end_utc=s.end_utc + years,
            )
            for index, s in enumerate(first.sessions)
        ),
    )
    return [first, ghost, *(replace(event, round=event.round + 1) for event in rest)]


def _answer(body):
    return SimulatedResponse(200, {"content-type": "application/json"}, body)


@pytest.mark.long
def test_rows_partitions_and_standings_move_with_their_event(warehouse, settings_of, ledger):
    upstream = _Renumbered(OPTIONS)
    with services(upstream) as served, dg.DagsterInstance.local_temp() as instance:
        transport = Transport(settings_of(source=served.url), ledger)
        record_calendar(instance, warehouse, refresh_calendar(SEASON, warehouse=warehouse, transport=transport))
        import_season(SEASON, datasets=DATASETS, warehouse=warehouse, transport=transport)
        keys = [str(key) for key in dict.fromkeys(s.key for s in dataset_states(warehouse, [SEASON]))]
        instance.add_dynamic_partitions("f1_session", keys)
        weather = all_datasets()["weather"]
        before = {
            event.name: [warehouse.rows(weather, s.key)["session_time_ms"].tolist() for s in event.sessions]
            for event in events_of(warehouse, SEASON)
        }
        assert [e.name for e in events_of(warehouse, SEASON)][1] == "Ghost Grand Prix"
        assert all(rows for name, rows in before.items() if name != "Ghost Grand Prix")

        # The second round is cancelled: every later one counts one less.
        upstream.is_early = False
        refresh = refresh_calendar(SEASON, warehouse=warehouse, transport=transport, renew=True)
        assert refresh.changes.cancelled == ("Ghost Grand Prix",)
        assert len(refresh.changes.moved) == 3
        record_calendar(instance, warehouse, refresh)
        events = [event for event in events_of(warehouse, SEASON) if not event.cancelled]
        assert [event.round for event in events] == [1, 2, 3, 4]
        for event in events:
            after = [warehouse.rows(weather, s.key)["session_time_ms"].tolist() for s in event.sessions]
            assert after == before[event.name], event.name
            assert len(warehouse.rows("driver_standings", event.sessions[-1].key)) == 4

        partitions = instance.get_dynamic_partitions("f1_session")
        assert sorted(partitions) == sorted(str(s.key) for event in events for s in event.sessions)
        materialized = instance.get_materialized_partitions(dg.AssetKey("weather"))
        assert {f"{SEASON}-0{number}-R" for number in (2, 3, 4)} <= materialized

        # Nothing is asked for again, and the archive does not answer for another event.
        served.asked.clear()
        summary = import_season(SEASON, datasets=DATASETS, warehouse=warehouse, transport=transport)
        assert summary.processed == 0
        assert not any("/results" in url or "standings" in url or "livetiming" in url for url in served.asked)
        states = dataset_states(warehouse, [SEASON], named(DATASETS))
        assert {state.status for state in states} == {Status.PRESENT, Status.NOT_APPLICABLE}

        # What is imported anew after the move is the right event's.
        for number in (2, 3):
            key = SessionKey(SEASON, number, "R")
            with warehouse.engine.begin() as connection:
                connection.exec_driver_sql(f"DELETE FROM extractions WHERE round = {number} AND dataset = 'results'")
            first = warehouse.rows(all_datasets()["results"], key)
            import_season(SEASON, datasets=["results"], warehouse=warehouse, transport=transport)
            assert warehouse.rows(all_datasets()["results"], key).equals(first)
        transport.close()
