import json
import logging

from f1_assets.logs import about, set_up_logs


def _logged(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def _say(words, level=logging.INFO, **options):
    logging.getLogger("f1_assets.importing.sessions").log(level, words, **options)


def test_a_line_is_an_object_with_what_it_is_about(capsys):
    set_up_logs("json")
    with about(session="2024-03-Q", run="run-1"):
        with about(dataset="laps"):
            _say("present: 275 rows")
        _say("loaded")
    _say("done")
    first, second, third = _logged(capsys)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "logger": "f1_assets.importing.sessions",
        "message": "present: 275 rows",
        "session": "2024-03-Q",
        "run": "run-1",
        "dataset": "laps",
    }
    assert (second["message"], second["session"], "dataset" in second) == ("loaded", "2024-03-Q", False)
    assert "session" not in third


def test_an_exception_stays_on_its_line(capsys):
    set_up_logs("json")
    try:
        raise ValueError("no\nlap")
    except ValueError:
        _say("it failed", logging.ERROR, exc_info=True)
    (line,) = _logged(capsys)
    assert line["exception"].endswith("ValueError: no\nlap")


def test_a_person_hears_of_warnings_only(capsys):
    set_up_logs("text")
    logging.getLogger("f1_assets.quota.ledger").info("a detail")
    logging.getLogger("f1_assets.quota.ledger").warning("The ledger cannot be reached")
    assert capsys.readouterr().err == "WARNING f1_assets.quota.ledger: The ledger cannot be reached\n"
