"""A clock for a ledger, and addresses that it counts."""

LIVE = "https://livetiming.formula1.com/static/2024/x"
JOLPICA = "https://api.jolpi.ca/ergast/f1/2024.json"


class Clock:
    """A clock that stands until somebody sleeps."""

    def __init__(self):
        self.now_ms = 1_700_000_000_000

    def __call__(self):
        return self.now_ms

    def sleep(self, seconds):
        self.now_ms += max(int(seconds * 1000), 1)
