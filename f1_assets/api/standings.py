"""Championships as OpenF1 has them: the standings before a race, and after it."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Scope


def before_and_after(scope: Scope, dataset: str, identifier: str) -> pd.DataFrame:
    """Return the standings after a race, with points and places of those after the race before.

    Who was not in the standings before had no points and no place.
    """
    races = [each.key for each in scope.sessions if each.key.session == "R"]
    place = races.index(scope.session.key)
    after = scope.frame(dataset)
    before = scope.frame(dataset, races[place - 1]) if place else after.iloc[:0]
    before = before.drop_duplicates(identifier).set_index(identifier)
    return after.assign(
        points_start=after[identifier].map(before["points"]).astype("Float64").fillna(0.0),
        points_current=after["points"],
        position_start=after[identifier].map(before["position"]).astype("Int64"),
        position_current=after["position"],
    )
