"""Health of the clock: whether it has jumped, and whether a wrong one left times in the future behind."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from f1_assets.formatting import counted, duration
from f1_assets.health.parts import Condition, Part
from f1_assets.planning.wrong_clocks import CLOCKS_AGREE_WITHIN
from f1_assets.quota.clocks import JUMP_MS
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.rate_limit import policies_for
from f1_assets.settings import Settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import database_time, is_embedded, reading
from f1_assets.warehouse.models import extractions, seasons

WHAT_TO_DO = "Check the clock and what sets it (NTP), then run: f1-assets quota repair-clock"


def clock_part(warehouse: Warehouse, settings: Settings) -> Part:
    """Look at the clock by which requests are counted, and at times that it wrote."""
    state = Ledger(warehouse.engine, policies_for(settings)).clock_state()
    whose = "The clock of this machine" if is_embedded(warehouse.engine) else "The database server's clock"
    if state.jump_ms is not None and state.jumped_at is not None:
        way = "ahead" if state.jump_ms > 0 else "back"
        size = duration(abs(state.jump_ms) / 1000)
        words = f"{whose} jumped {way} by {size}, as was seen at {state.jumped_at:%Y-%m-%d %H:%M:%S} UTC."
        return Part("clock", Condition.WARNING, f"{words} No request was let through for it.", WHAT_TO_DO)
    if state.ahead_ms > JUMP_MS:
        size = duration(state.ahead_ms / 1000)
        words = f"{whose} is {size} behind the latest time that requests were counted at; they wait until then."
        return Part("clock", Condition.WARNING, words, WHAT_TO_DO)
    if ahead := _dated_ahead(warehouse):
        words = f"{counted(ahead, 'record')} of imports and calendars are dated in the future: a clock was wrong."
        return Part("clock", Condition.WARNING, words, WHAT_TO_DO)
    return Part("clock", Condition.OK, f"{whose} has not jumped.")


def _dated_ahead(warehouse: Warehouse) -> int:
    with reading(warehouse.engine) as connection:
        latest = database_time(connection) + CLOCKS_AGREE_WITHIN
        x = extractions.c
        records = select(func.count()).where(or_(x.tried_at > latest, x.extracted_at > latest))
        calendars = select(func.count()).where(seasons.c.refreshed_at > latest)
        return sum(int(connection.execute(query).scalar_one()) for query in (records, calendars))
