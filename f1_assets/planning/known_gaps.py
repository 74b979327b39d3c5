"""Known gaps: data that upstream has lost for ever; it is never asked for, nor reported as missing."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from importlib.resources import files

import yaml


@functools.cache
def known_gaps() -> Mapping[tuple[date, str, str], str]:
    """Return why data was lost, by the session's date (UTC), its identifier and the dataset."""
    text = files("f1_assets.planning").joinpath("known_gaps.yaml").read_text(encoding="utf-8")
    return {
        (entry["date"], entry["session"], dataset): f"lost for ever: {entry['reason']} ({entry['source']})"
        for entry in yaml.safe_load(text)
        for dataset in entry["datasets"]
    }
