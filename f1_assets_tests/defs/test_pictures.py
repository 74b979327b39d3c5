"""The picture of a session: one, as PNG, by a job of its own."""

import base64
import io
import re
import sys

import dagster as dg
import pytest
from PIL import Image

from f1_assets.defs.governor import ACTIVE, gap_of
from f1_assets.defs.pictures import PICTURE_BYTES, small_png
from f1_assets.defs.tags import SESSION_TAG
from f1_assets.errors import ConfigurationError

RACE = "2025-01-R"


@pytest.fixture
def imported(instance, run):
    """A race with its laps and results."""
    instance.add_dynamic_partitions("f1_season", ["2025"])
    assert run("refresh_calendar", "2025").success
    result = run("import_sessions", RACE, "laps", "results", "drivers")
    assert result.success
    return result


def _failure(result):
    failure = next(event for event in result.all_events if event.is_step_failure)
    return failure.step_failure_data.user_failure_data.description


def test_a_session_has_one_picture_which_the_event_log_can_hold(instance, imported, run):
    result = run("session_pictures", RACE)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == dg.AssetKey("session_picture")
    metadata = event.materialization.metadata
    found = re.fullmatch(r"!\[(.+)\]\(data:image/png;base64,(\S+)\)", metadata["picture"].value)
    assert found, metadata["picture"].value[:80]
    assert found[1].replace("\\", "") == f"{RACE}: Positions"
    assert len(metadata["picture"].value) <= PICTURE_BYTES
    picture = Image.open(io.BytesIO(base64.b64decode(found[2])))
    assert picture.format == "PNG"
    assert min(picture.size) > 300
    assert metadata["season_board"].value.endswith(f"/session/{RACE}")
    assert "Positions" in metadata["shows"].value


def test_an_import_draws_nothing_and_leads_to_the_board(imported):
    for event in imported.get_asset_materialization_events():
        assert "picture" not in event.materialization.metadata
        assert event.materialization.metadata["season_board"].value.endswith(f"/session/{RACE}")


def test_without_the_extra_the_run_fails_and_says_what_to_install(imported, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = run("session_pictures", RACE)
    assert not result.success
    assert "pip install 'f1-assets[pictures]'" in _failure(result)


def test_a_session_of_which_nothing_is_stored_says_what_to_do(instance, imported, run):
    result = run("session_pictures", "2025-01-FP1")
    assert "2025-01-FP1: Nothing is stored that could be drawn. Materialize laps or results" in _failure(result)


def test_a_run_says_in_words_which_session_it_is_about(instance, imported, run):
    drawn = run("session_pictures", RACE)
    for result in (imported, drawn):
        tags = instance.get_run_by_id(result.run_id).tags
        assert re.fullmatch(rf"{RACE} \S.* Grand Prix, Race", tags[SESSION_TAG])
        assert tags["dagster/partition"] == RACE


def test_a_picture_is_no_import_that_waits_for_the_quota(instance, imported, run):
    drawn = instance.get_run_by_id(run("session_pictures", RACE).run_id)
    assert gap_of(drawn) is None
    assert gap_of(drawn._replace(asset_selection=None)) is None
    assert not instance.get_runs(dg.RunsFilter(statuses=ACTIVE))


def test_a_picture_that_does_not_fit_is_made_smaller_and_refused_in_the_end(monkeypatch):
    tried = []

    def noise(chart, scale):
        tried.append(scale)
        size = int(400 * scale)
        written = io.BytesIO()
        Image.effect_noise((size, size), 90).save(written, "PNG")
        return written.getvalue()

    monkeypatch.setattr("f1_assets.plots.png", noise)
    assert len(small_png(None)) <= PICTURE_BYTES
    assert tried == sorted(tried, reverse=True)
    assert len(tried) > 1
    with pytest.raises(ConfigurationError, match="larger than 300 bytes"):
        small_png(None, 300)
