"""Health of Dagster's daemon: by the heartbeats that it leaves in its instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from f1_assets.defs.instance import dagster_instance
from f1_assets.health.parts import Condition, Part
from f1_assets.settings import Settings

NAME = "Dagster daemon"

SILENT_AFTER = timedelta(minutes=3)
"""A daemon leaves a heartbeat every half minute; a busy machine is given some."""

_START = "f1-assets ui starts it; on a server: dagster-daemon run -m f1_assets.definitions"


def daemon_part(settings: Settings, now: datetime | None = None) -> Part:
    """Look whether the daemon lives, so that what is missing is imported by itself.

    Parameters
    ----------
    settings
        Where Dagster keeps its instance; with `autostart`, a daemon that does not run is a failure.
    now
        What is taken for the present.
    """
    now = now or datetime.now(UTC)
    silent = Condition.FAILING if settings.autostart else Condition.WARNING
    if not settings.dagster_home.exists():
        return Part(NAME, silent, f"Dagster was never started in {settings.dagster_home}.", _START)
    with dagster_instance(settings) as instance:
        heartbeats = instance.get_daemon_heartbeats()
        required = sorted(instance.get_required_daemon_types())
    found = [heartbeats[kind] for kind in required if kind in heartbeats]
    if not found:
        return Part(NAME, silent, "It never ran: nothing is imported by itself.", _START)
    latest = datetime.fromtimestamp(max(heartbeat.timestamp for heartbeat in found), UTC)
    if now - latest > SILENT_AFTER:
        words = f"It is not running since {latest:%Y-%m-%d %H:%M} UTC: nothing is imported by itself."
        return Part(NAME, silent, words, _START)
    late = [kind for kind in required if kind not in heartbeats or _is_silent(heartbeats[kind].timestamp, now)]
    if late:
        words = f"It runs, but gives no sign of: {', '.join(late).lower()}."
        return Part(NAME, Condition.FAILING, words, "Look at its log, and start it anew.")
    errors = [error.message for heartbeat in found for error in heartbeat.errors or ()]
    if errors:
        words = " ".join(errors[0].split())[:200]
        return Part(NAME, Condition.FAILING, f"It runs with errors: {words}.", "Look at its log.")
    return Part(NAME, Condition.OK, f"It runs; the last heartbeat was at {latest:%H:%M:%S} UTC.")


def _is_silent(timestamp: float, now: datetime) -> bool:
    return now - datetime.fromtimestamp(timestamp, UTC) > SILENT_AFTER
