"""The recorded sessions: how many rows each dataset has, and their import."""

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap

NONE = None
"""What upstream does not have."""

DATASETS = (
    "circuit",
    "drivers",
    "intervals",
    "laps",
    "race_control_messages",
    "results",
    "session_status",
    "track_status",
    "weather",
)

ROWS = {
    #               circuit drivers intervals laps messages results session track weather
    "2018-04-R": (NONE, 20, 20058, 848, 109, 20, 5, 22, NONE),
    "2019-14-Q": (NONE, 20, 1053, 275, 40, 20, 17, 12, 95),
    "2020-03-FP2": (NONE, 20, 221, 109, 13, NONE, 5, 1, NONE),
    "2020-05-FP2": (NONE, NONE, 402, 535, NONE, NONE, 5, 7, 100),
    "2020-07-R": (NONE, 20, NONE, NONE, 28, 20, 5, 9, 121),
    "2020-08-R": (45, 20, NONE, NONE, 71, 20, 7, 10, 143),
    "2020-12-R": (NONE, 20, NONE, NONE, 119, 20, 5, 3, NONE),
    "2021-01-FP3": (NONE, NONE, NONE, NONE, NONE, NONE, 5, NONE, NONE),
    "2021-01-R": (NONE, NONE, NONE, NONE, NONE, 20, NONE, NONE, NONE),
    "2021-10-R": (NONE, 20, NONE, NONE, 66, 20, 7, 13, 184),
    "2021-18-Q": (NONE, 20, 1168, 311, 40, 20, 14, 8, 104),
    "2021-21-R": (NONE, 20, NONE, NONE, 98, 20, 9, 25, 193),
    "2022-01-R": (NONE, 20, NONE, NONE, 60, 20, 5, 7, 163),
    "2022-06-Q": (NONE, NONE, 1165, NONE, NONE, NONE, NONE, NONE, NONE),
    "2023-01-FP1": (NONE, 20, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "2023-01-R": (NONE, 20, NONE, NONE, 73, 20, 5, 11, NONE),
    "2023-04-Q": (NONE, 20, 1583, 356, 61, 20, 17, 21, NONE),
    "2023-04-SS": (NONE, 20, 1480, 233, 58, 20, 12, 19, NONE),
    "2023-04-S": (NONE, 20, 7338, 308, NONE, 20, 5, 13, NONE),
    "2023-05-R": (NONE, 20, NONE, NONE, NONE, 20, 5, 5, NONE),
    "2023-08-Q": (NONE, NONE, 1601, NONE, NONE, NONE, NONE, NONE, NONE),
    "2023-10-R": (NONE, 20, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "2023-11-FP1": (NONE, 20, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "2024-02-FP2": (NONE, 20, NONE, NONE, 9, NONE, NONE, NONE, NONE),
    "2024-02-FP3": (NONE, 20, NONE, NONE, 22, NONE, NONE, NONE, NONE),
    "2024-12-FP1": (NONE, 20, 681, 459, 20, NONE, 8, 8, 81),
    "2025-01-R": (NONE, 20, NONE, NONE, 113, 20, 5, 20, NONE),
    "2025-02-R": (NONE, 20, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "2025-04-R": (NONE, 20, NONE, NONE, 91, 20, 5, 3, NONE),
    "2025-16-FP1": (NONE, 20, NONE, NONE, 34, NONE, NONE, NONE, NONE),
}

AGAIN = ("2019-14-Q", "2020-08-R", "2021-01-R", "2023-04-S", "2023-10-R", "2024-12-FP1")
"""Imported a second time, from the archive: of each kind of session, with timing and without."""


HEAVY = ("2020-05-FP2", "2021-18-Q", "2023-04-Q")
"""Sessions with timing that are like others here: they are looked at with the long tests."""


def of_keys(keys):
    """Return keys as parameters of a test, heavy ones for the long tests."""
    return [pytest.param(key, marks=pytest.mark.long if key in HEAVY else ()) for key in keys]


class Recorded:
    """The recorded sessions in one warehouse, each imported when a test first asks for it.

    Parameters
    ----------
    warehouse, settings
        Where to, and where the recordings are.
    new_folder
        Makes a folder for the archive of a session.
    """

    def __init__(self, warehouse, settings, new_folder):
        self.warehouse = warehouse
        self.settings, self._new_folder = settings, new_folder
        self._outcomes, self._calendars, self._archives = {}, set(), {}

    def __getitem__(self, text):
        """Return the outcome of a session's import, and that of a second one, where it is of AGAIN."""
        if text not in self._outcomes:
            self._outcomes[text] = self._import(SessionKey.parse(text), text in AGAIN)
        return self._outcomes[text]

    def settings_of(self, text):
        """Return the settings by which a session was imported: each has an archive of its own."""
        assert self[text]
        return self._archives[text]

    def _import(self, key, again):
        if key.season not in self._calendars:
            refresh_calendar(key.season, warehouse=self.warehouse, transport=Transport(self.settings))
            self._calendars.add(key.season)
        gap = SessionGap(key, tuple(all_datasets()))
        # Each alone: sessions of one weekend share answers, which would hide requests.
        self._archives[str(key)] = self.settings.model_copy(update={"archive_url": str(self._new_folder("archive"))})
        alone = Transport(self._archives[str(key)])
        first = process_session_gap(gap, warehouse=self.warehouse, transport=alone)
        return first, process_session_gap(gap, warehouse=self.warehouse, transport=alone) if again else None
