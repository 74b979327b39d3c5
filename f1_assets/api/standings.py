"""Championships as OpenF1 has them: the standings before a race, and after it."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Scope


def before_and_after(scope: Scope, dataset: str, identifier: str) -> pd.DataFrame:
    """Return the standings after a race, with points and places of those after the race before.

    Who was not in the standings before had no points and no place. Where they are not stored, both are NULL.
    """
    races = [each.key for each in scope.sessions if each.key.session == "R"]
    place = races.index(scope.session.key)
    after = scope.frame(dataset)
    before = scope.frame(dataset, races[place - 1]) if place else after.iloc[:0]
    is_known = not place or not before.empty
    before = before.drop_duplicates(identifier).set_index(identifier)
    points_start = after[identifier].map(before["points"]).astype("Float64")
    return after.assign(
        points_start=points_start.fillna(0.0) if is_known else points_start,
        points_current=after["points"],
        position_start=after[identifier].map(before["position"]).astype("Int64"),
        position_current=after["position"],
    )
