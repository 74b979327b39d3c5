"""The ledger against a simple model: permits, reservations, releases, crashes, clock jumps, in any order."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from f1_assets.connection import connect
from f1_assets.errors import QuotaExhausted
from f1_assets.quota.ledger import RESERVATION_LASTS_MS, Ledger, Purpose
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets_tests.quota.machine import Machine

LIMIT, WINDOW_MS, LONGEST_MS = 6, 10_000, 3_000
URL = "https://livetiming.formula1.com/static/x"


class LedgerMachine(RuleBasedStateMachine):
    """What a service would see, beside what the ledger allows."""

    flying = Bundle("flying")
    reserved = Bundle("reserved")

    def __init__(self):
        super().__init__()
        self.warehouse = connect(load_settings(home=Path(tempfile.mkdtemp())))
        self.machine = Machine()
        policies = policies_of(f"any={LIMIT}/10s;jolpica=1000/10s", reaches_real_services=False)
        self.ledger = Ledger(self.warehouse.engine, policies, self.machine, lambda _s: None, LONGEST_MS)
        self.sent = {}
        """When each permitted request left and, at the latest, arrived, in a time that no clock jump touches."""

    @property
    def true_ms(self):
        return self.machine.true_ms

    def teardown(self):
        self.warehouse.close()

    def _ask(self, purpose=None):
        try:
            permit = self.ledger.permit(URL, purpose, wait_seconds=0)
        except QuotaExhausted as spent:
            assert spent.retry_at is not None
            return multiple()
        self.sent[permit] = [self.true_ms, self.true_ms + LONGEST_MS]
        return permit

    @rule(target=flying)
    def permit(self):
        return self._ask()

    @rule(permit=consumes(flying))
    def answer(self, permit):
        self.sent[permit][1] = min(self.true_ms, self.sent[permit][1])
        self.ledger.settle(permit, 200, 1, 1.0)

    @rule(permit=consumes(flying))
    def crash(self, permit):
        """Let the process die between its permit and the answer: nothing is settled."""

    @rule(target=reserved, requests=st.integers(1, LIMIT))
    def reserve(self, requests):
        try:
            return self.ledger.reserve(Purpose("2024-01-R"), {"any": requests})
        except QuotaExhausted:
            return multiple()

    @rule(target=flying, reservation=reserved)
    def permit_reserved(self, reservation):
        return self._ask(Purpose("2024-01-R", reservation=reservation))

    @rule(reservation=consumes(reserved))
    def release(self, reservation):
        self.ledger.release(reservation)

    @rule(milliseconds=st.integers(1, WINDOW_MS))
    def time_passes(self, milliseconds):
        self.machine.sleep(milliseconds / 1000)

    @rule(milliseconds=st.integers(-10 * WINDOW_MS, 10 * WINDOW_MS))
    def clock_is_set(self, milliseconds):
        self.machine.set_clock(milliseconds / 1000)

    @rule(years=st.integers(-10, 10))
    def clock_is_set_by_years(self, years):
        self.machine.set_clock(years * 365 * 86_400)

    @rule(off_seconds=st.integers(1, WINDOW_MS // 1000), clock_set_by_seconds=st.integers(-100, 100))
    def machine_is_started_again(self, off_seconds, clock_set_by_seconds):
        self.machine.reboot(off_seconds, clock_set_by_seconds)

    @rule()
    def whatever_the_clocks_did_one_window_later_all_is_free(self):
        """Let a window pass beyond the longest request and all reservations: nothing may stop the quota for longer."""
        self._ask()  # a look, from which time is measured
        self.machine.sleep((WINDOW_MS + LONGEST_MS + RESERVATION_LASTS_MS) / 1000 + 1)
        window = self.ledger.stats()[0].windows[0]
        assert (window.used, window.reserved, window.remaining) == (0, 0, LIMIT)

    @invariant()
    def no_window_can_have_held_more_than_the_number(self):
        """Wherever a window is laid, and whenever each request arrived between leaving and its latest moment."""
        for begin in {moment for interval in self.sent.values() for moment in interval}:
            possible = [1 for left, latest in self.sent.values() if latest >= begin and left < begin + WINDOW_MS]
            assert len(possible) <= LIMIT

    @invariant()
    def what_is_told_adds_up(self):
        window = self.ledger.stats()[0].windows[0]
        assert 0 <= window.remaining <= LIMIT
        assert window.used + window.reserved + window.remaining >= min(LIMIT, window.used + window.reserved)


LedgerMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase
