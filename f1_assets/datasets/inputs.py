"""What derived datasets are computed from: rows of other datasets of the same session, and the order that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import pandas as pd

    from f1_assets.keys import SessionKey


@dataclass(frozen=True)
class Inputs:
    """The rows that a derived dataset of a session is computed from, in the types of their datasets.

    Nothing else is handed to a computation, so that rows are stale when, and only when, one of these changed.

    Parameters
    ----------
    key
        The session.
    frames
        The rows of each input that is there, by its name; each begins with season, round, session.
    """

    key: SessionKey
    frames: Mapping[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return the rows of an input that it cannot do without."""
        return self.frames[name]

    def get(self, name: str) -> pd.DataFrame | None:
        """Return the rows of an optional input; None where it is not there."""
        return self.frames.get(name)


class HasInputs(Protocol):
    """What the order of computation follows from."""

    @property
    def name(self) -> str:
        """Name of the dataset."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Datasets that it cannot be computed without; none for what is extracted."""

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Datasets that add to it."""


_D = TypeVar("_D", bound=HasInputs)


def in_order_of_inputs(datasets: Iterable[_D]) -> list[_D]:
    """Return datasets such that each comes after its inputs, and otherwise in the order in which they are given.

    Raises
    ------
    ValueError
        When a dataset has an input that is no dataset, or is, through others, an input of itself.
    """
    by_name = {dataset.name: dataset for dataset in datasets}
    ordered: dict[str, _D] = {}

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"a circle of inputs: {' <- '.join((*path[path.index(name) :], name))}")
        if name not in by_name:
            raise ValueError(f"{path[-1]} has the input {name!r}, which is no dataset")
        if name not in ordered:
            for each in (*by_name[name].inputs, *by_name[name].optional_inputs):
                place(each, (*path, name))
            ordered[name] = by_name[name]

    for name in by_name:
        place(name, ())
    return list(ordered.values())
