"""A dataset is derived by its inputs alone, in an order without a circle."""

from dataclasses import dataclass

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets, derived_datasets, extracted_datasets
from f1_assets.datasets.definition import Dataset, Field
from f1_assets.datasets.dictionary import markdown
from f1_assets.datasets.inputs import in_order_of_inputs
from f1_assets.datasets.licences import JOLPICA, LIVE_TIMING, licences_of
from f1_assets.feeds.table import Feed


@dataclass(frozen=True)
class _Named:
    name: str
    inputs: tuple[str, ...] = ()
    optional_inputs: tuple[str, ...] = ()


def test_each_dataset_is_either_extracted_or_derived():
    assert {*extracted_datasets(), *derived_datasets()} == set(all_datasets())
    assert not extracted_datasets().keys() & derived_datasets().keys()
    assert {"stints", "neutralisations"} <= derived_datasets().keys()


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"extract": pd.DataFrame, "compute": pd.DataFrame, "inputs": ("laps",)},
        {"compute": pd.DataFrame},
        {"extract": pd.DataFrame, "inputs": ("laps",)},
        {"extract": pd.DataFrame, "optional_inputs": ("laps",)},
        {"compute": pd.DataFrame, "inputs": ("laps",), "feeds": (Feed.WEATHER,)},
        {"compute": pd.DataFrame, "inputs": ("laps",), "optional_feeds": (Feed.WEATHER,)},
    ],
)
def test_a_dataset_has_either_an_extractor_with_feeds_or_a_computation_with_inputs(origin):
    columns = (Field("driver_number", "text", "Car number"),)
    with pytest.raises(ValueError, match="either extract, with feeds, or compute, with inputs"):
        Dataset("odd", "driver", "Odd.", ("driver_number",), columns, in_lake=True, **origin)


def test_each_comes_after_its_inputs():
    pace, stints, laps = _Named("pace", ("stints", "laps")), _Named("stints", (), ("laps",)), _Named("laps")
    assert in_order_of_inputs([pace, stints, laps]) == [laps, stints, pace]


def test_an_input_that_is_no_dataset_is_refused():
    with pytest.raises(ValueError, match="stints has the input 'lapps', which is no dataset"):
        in_order_of_inputs([_Named("stints", ("lapps",))])


def test_a_circle_of_inputs_is_refused():
    circle = [_Named("pace", ("stints",)), _Named("stints", (), ("laps",)), _Named("laps", ("stints",))]
    with pytest.raises(ValueError, match="stints <- laps <- stints"):
        in_order_of_inputs(circle)


def test_nothing_is_loaded_for_a_derived_dataset_and_nothing_else_is_computed():
    with pytest.raises(TypeError, match="computed from laps"):
        all_datasets()["stints"].take(None)
    with pytest.raises(TypeError, match="extracted"):
        all_datasets()["laps"].computed(None)


def test_the_licences_of_what_is_derived_are_those_of_its_inputs():
    assert licences_of(all_datasets()["stints"]) == (JOLPICA, LIVE_TIMING)


def test_the_dictionary_says_what_it_is_derived_from():
    section = markdown().split("## `stints`")[1].split("## `")[0]
    words = (
        "Derived, without a request, and again when these change: `laps`; adds to it: `session_status`, `tyre_sets`."
    )
    assert words in section
