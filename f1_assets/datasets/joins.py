"""Views of the joins that everybody writes: laps, messages and radio with the driver, and with what was then.

SQLite, PostgreSQL and DuckDB read them alike.
"""


def _same_session(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in ("season", "round", "session"))


def _with_driver(table: str) -> str:
    return f"LEFT JOIN drivers d ON {_same_session('d', table)} AND d.driver_number = {table}.driver_number"


LAPS_WITH_CONTEXT = (
    "SELECT l.*, d.full_name, d.driver_id, d.team_id, d.team_color, c.is_clean, c.is_in_lap, c.is_out_lap, "  # noqa: S608 (constants)
    "c.neutralised_ms, c.yellow_ms, c.tyre_age_laps, c.fuel_laps_left, c.gap_to_leader_ms, c.gap_ahead_ms, "
    "c.driver_ahead, c.qualifying_part, c.air_temperature_c, c.track_temperature_c, "
    f"(SELECT w.rainfall FROM weather w WHERE {_same_session('w', 'l')} AND w.session_time_ms <= l.session_time_ms "
    "AND w.session_time_ms >= l.session_time_ms - 300000 ORDER BY w.session_time_ms DESC LIMIT 1) AS rainfall "
    f"FROM laps l {_with_driver('l')} LEFT JOIN lap_context c ON {_same_session('c', 'l')} "
    "AND c.driver_number = l.driver_number AND c.lap_number = l.lap_number"
)
"""Each lap with its driver, team colour and `lap_context`; `rainfall` is of the measurement that it has the weather of.

Columns of `lap_context` are NULL where it is not computed, those of the driver where the list of drivers is not stored.
"""

MESSAGES_WITH_DRIVER = (
    "SELECT m.*, d.abbreviation, d.full_name, d.team_name, d.team_color "  # noqa: S608
    f"FROM race_control_messages m {_with_driver('m')}"
)
"""Each message of race control with the driver that it is about; NULL where it is about none."""

RADIO_WITH_LAP = (
    "SELECT r.*, d.abbreviation, d.full_name, d.team_name, d.team_color, "  # noqa: S608
    f"(SELECT MAX(l.lap_number) FROM laps l WHERE {_same_session('l', 'r')} AND l.driver_number = r.driver_number "
    "AND l.lap_start_utc <= r.utc AND r.utc < l.utc) AS lap_number "
    f"FROM team_radio r {_with_driver('r')}"
)
"""Each radio message with its driver and the lap on which it was published.

`lap_number` is NULL before the first lap and after the last one, and where nobody knows when session time began.
"""
