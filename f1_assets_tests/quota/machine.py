"""A machine whose wall clock can be set and which can be started again, beside the true time that nobody can set."""

from f1_assets.quota.clocks import Reading

FIRST_WALL_MS = 1_700_000_000_000


class Machine:
    """Gives readings of its clocks. The true time stands until somebody sleeps."""

    def __init__(self):
        self.true_ms = 50_000_000
        self.ahead_ms = FIRST_WALL_MS - self.true_ms
        self.boots, self.booted_at_ms = 1, 0

    def __call__(self):
        return Reading(self.wall_ms, f"boot {self.boots}", self.true_ms - self.booted_at_ms)

    @property
    def wall_ms(self):
        return self.true_ms + self.ahead_ms

    def sleep(self, seconds):
        self.true_ms += max(int(seconds * 1000), 1)

    def set_clock(self, by_seconds):
        self.ahead_ms += int(by_seconds * 1000)

    def reboot(self, off_seconds, clock_set_by_seconds=0):
        self.sleep(off_seconds)
        self.boots, self.booted_at_ms = self.boots + 1, self.true_ms
        self.set_clock(clock_set_by_seconds)
        self.sleep(1)
