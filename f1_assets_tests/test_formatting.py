"""How counts, shares, durations and sizes are written."""

import pytest

from f1_assets.formatting import counted, did_you_mean, duration, percent, size


@pytest.mark.parametrize(
    ("number", "words", "expected"),
    [
        (1204, (), "1,204"),
        (1, ("lap",), "1 lap"),
        (0, ("lap",), "0 laps"),
        (1, ("try", "tries"), "1 try"),
        (2, ("try", "tries"), "2 tries"),
    ],
)
def test_a_count_agrees_with_its_word(number, words, expected):
    assert counted(number, *words) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [(None, "–"), (0.0, "0.0 %"), (0.5, "50.0 %"), (0.99996, "99.9 %"), (1.0, "100 %")],
)
def test_100_percent_is_said_only_of_what_is_whole(share, expected):
    assert percent(share) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(8, "8 s"), (59.6, "1 min"), (200, "3 min 20 s"), (3600, "1 h"), (7500, "2 h 5 min")],
)
def test_durations(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 B"), (512, "512 B"), (1_400, "1.4 kB"), (2_000_000_000, "2.0 GB")],
)
def test_sizes(number, expected):
    assert size(number) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("lapz", "Did you mean laps?"),
        ("Lap-Context", "Did you mean lap_context?"),
        ("zzzz", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_name_that_is_close_is_offered(written, said):
    assert did_you_mean(written, ["laps", "lap_context", "weather"]) == said


def test_several_names_that_are_close_are_offered_in_words():
    assert did_you_mean("telemetry", ["car_telemetry", "lap_telemetry"]).startswith("Did you mean ")
    assert " or " in did_you_mean("telemetry", ["car_telemetry", "lap_telemetry"])
