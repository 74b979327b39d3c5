import pytest

from f1_assets.datasets import all_datasets, named
from f1_assets.datasets.definition import ALL_SESSIONS
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey


def test_each_file_with_a_dataset_is_one():
    assert list(all_datasets()) == sorted(
        [
            "car_telemetry",
            "circuit",
            "drivers",
            "intervals",
            "laps",
            "position_telemetry",
            "race_control_messages",
            "results",
            "session_status",
            "team_radio",
            "track_status",
            "weather",
        ]
    )


@pytest.mark.parametrize("dataset", all_datasets().values(), ids=all_datasets())
def test_a_dataset_says_all_of_itself(dataset):
    assert dataset.description.endswith(".")
    assert set(dataset.key) <= {column.name for column in dataset.columns}
    assert all(column.description for column in dataset.columns)
    assert dataset.sessions <= ALL_SESSIONS
    assert (dataset.table is None) == dataset.in_lake == dataset.name.endswith("telemetry")
    if dataset.table is not None:
        assert [c.name for c in dataset.table.primary_key] == ["season", "round", "session", *dataset.key]
    units = {
        "_ms": "ms",
        "_c": "°C",
        "_kmh": "km/h",
        "_mps": "m/s",
        "_deg": "°",
        "_pct": "%",
        "_m": "m",
        "_laps": "laps",
    }
    for column in dataset.columns:
        for ending, unit in units.items():
            if column.name.endswith(ending):
                assert column.unit == unit, column.name


def test_laps_have_all_31_columns_of_fastf1_and_the_time_of_day():
    assert len(all_datasets()["laps"].columns) == 31 + 1


def test_a_dataset_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(UsageError, match=r"no dataset 'telemetry'.*weather"):
        named("laps,telemetry")


@pytest.mark.parametrize(
    ("dataset", "key", "live", "words"),
    [
        ("results", "2024-01-FP1", True, "FP1 session has no results"),
        ("results", "2026-T1-1", True, "tests have no results"),
        ("laps", "2017-01-R", False, "before 2018"),
        ("laps", "2020-T1-1", False, "does not cover"),
        ("results", "1979-01-R", False, None),
        ("laps", "2024-01-FP1", True, None),
    ],
)
def test_what_a_session_cannot_have_is_not_applicable(dataset, key, live, words):
    reason = all_datasets()[dataset].why_not_applicable(SessionKey.parse(key), live)
    assert (reason is None) if words is None else (words in reason)
