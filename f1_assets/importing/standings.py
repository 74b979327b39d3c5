"""Bring a season's standings: one request a round and championship, and only for rounds that are not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import requests
from sqlalchemy import delete, insert

from f1_assets.connection import connect
from f1_assets.datasets import SeasonDataset
from f1_assets.errors import NotYetPublished, QuotaExhausted, TransientError, UnreadableData
from f1_assets.feeds.table import JOLPICA_HOST
from f1_assets.fetch.exchanges import in_short
from f1_assets.fetch.process import transport_for
from f1_assets.planning.standings import StandingsGap, missing_standings
from f1_assets.settings import process_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import writing
from f1_assets.warehouse.models import standings_absences
from f1_assets.warehouse.store import merge

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport

PUBLISHED_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class StandingsRefresh:
    """What a refresh brought: the rounds after which standings are there now, their rows, and the requests sent.

    `without` are rounds of long ago of which upstream has no standings.
    """

    season: int
    dataset: str
    rounds: tuple[int, ...]
    without: tuple[int, ...]
    rows: int
    requests: int


def refresh_standings(
    season: int,
    dataset: SeasonDataset,
    *,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
) -> StandingsRefresh:
    """Bring the standings of a season's rounds that are missing. What was brought stays when a later round fails.

    Parameters
    ----------
    season
        Championship year, whose calendar is known.
    dataset
        Which championship.
    warehouse, transport
        Those of the environment by default.

    Raises
    ------
    UpstreamError
        When a round's standings are not there yet, or the request failed.
    UnreadableData
        When an answer cannot be read.
    """
    from f1_assets.fetch.transport import LoadStopped

    warehouse = warehouse or connect()
    transport = transport or transport_for(process_settings())
    rounds, without, rows, sent = [], [], 0, 0
    for gap in missing_standings(warehouse, [season], [dataset]):
        with transport.loading(gap.race_ended_at) as exchanges:
            try:
                found = _rows_of(gap, dataset, transport)
            except LoadStopped as stop:
                raise stop.reason from stop
            finally:
                sent += sum(1 for exchange in exchanges if exchange.reached_source)
        if found:
            _store(gap, dataset, found, warehouse)
            rounds.append(gap.round)
            rows += len(found)
        else:
            _note_absence(gap, warehouse)
            without.append(gap.round)
    return StandingsRefresh(season, dataset.name, tuple(rounds), tuple(without), rows, sent)


def _rows_of(gap: StandingsGap, dataset: SeasonDataset, transport: Transport) -> list[dict[str, object]]:
    url = f"https://{JOLPICA_HOST}/ergast/f1/{gap.season}/{gap.round}/{dataset.page}.json?limit=100"
    where = f"{dataset.name} of {gap.season} after round {gap.round}"
    try:
        response = transport.get(url)
    except requests.RequestException as error:
        words = f"{where}: the request failed ({in_short(error)})."
        raise TransientError(words, advice="The next import asks again.") from error
    if response.status_code == 429:
        raise QuotaExhausted(f"{where}: the service throttles (HTTP 429).", advice="A later import asks again.")
    if response.status_code not in (200, 404):
        raise TransientError(f"{where}: HTTP {response.status_code}.", advice="The next import asks again.")
    try:
        found = dataset.rows_of(json.loads(response.content)["MRData"]) if response.status_code == 200 else []
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableData(f"{where}: the answer cannot be read ({type(error).__name__}: {error}).") from error
    if not found and datetime.now(UTC) - gap.race_ended_at < PUBLISHED_WITHIN:
        raise NotYetPublished(f"{where} is not published yet. A later import asks again.")
    return found


def _note_absence(gap: StandingsGap, warehouse: Warehouse) -> None:
    row = {"season": gap.season, "round": gap.round, "dataset": gap.dataset, "asked_at": datetime.now(UTC)}
    with writing(warehouse.engine) as connection:
        merge(connection, standings_absences, [row])


def _store(gap: StandingsGap, dataset: SeasonDataset, rows: list[dict[str, object]], warehouse: Warehouse) -> None:
    table = dataset.table
    common = {"season": gap.season, "round": gap.round, "fetched_at": datetime.now(UTC)}
    with writing(warehouse.engine) as connection:
        connection.execute(delete(table).where(table.c.season == gap.season, table.c.round == gap.round))
        connection.execute(insert(table), [{**common, **row} for row in rows])
