"""The request quota: how many requests a service may be sent in a time, as `F1_QUOTA` says it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from f1_assets.errors import ConfigurationError
from f1_assets.feeds.table import JOLPICA_HOST

ANY = "any"
"""The policy that counts every request."""

JOLPICA = "jolpica"
"""The policy of requests to Jolpica, which count in `ANY` too."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
_WINDOW = re.compile(r"(\d{1,7})/(\d{0,5})(s|m|h)", re.ASCII)


@dataclass(frozen=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    limit: int
    seconds: int

    def __str__(self) -> str:
        """Write it as `F1_QUOTA` has it."""
        unit = next(unit for unit in ("h", "m", "s") if self.seconds % _UNITS[unit] == 0)
        return f"{self.limit}/{self.seconds // _UNITS[unit]}{unit}"


@dataclass(frozen=True)
class Policy:
    """A policy and its windows, the longest first."""

    name: str
    windows: tuple[Window, ...]

    @property
    def longest(self) -> Window:
        """The window that a session's requests are reserved from; the shorter ones only pace them."""
        return self.windows[0]

    def __str__(self) -> str:
        """Write it as `F1_QUOTA` has it."""
        return f"{self.name}={','.join(map(str, self.windows))}"


FASTF1 = (
    Policy(ANY, (Window(500, 3600), Window(4, 1))),
    Policy(JOLPICA, (Window(200, 3600), Window(4, 1))),
)
"""The limits that FastF1 itself holds, per process."""


def policies_of(text: str | None, reaches_real_services: bool) -> tuple[Policy, ...]:
    """Read the policies of `F1_QUOTA`; FastF1's own limits where it says nothing.

    Parameters
    ----------
    text
        Such as ``any=500/1h,4/1s;jolpica=200/1h,4/1s``.
    reaches_real_services
        Whether requests reach F1's real services. Then FastF1's limits may be lowered and not raised, and one request
        less is sent than its number: FastF1 refuses the request that would reach the number, and counts it.

    Raises
    ------
    ConfigurationError
        When the text cannot be read, or raises a limit for real services.
    """
    given = {policy.name: policy for policy in map(_policy, filter(None, (text or "").split(";")))}
    policies = tuple(given.get(standard.name, standard) for standard in FASTF1)
    if not reaches_real_services:
        return policies
    for policy, standard in zip(policies, FASTF1, strict=True):
        _refuse_raised(policy, standard)
    # FastF1's own pace holds as well, whatever else is set.
    return tuple(
        _one_below(Policy(policy.name, _merged(policy.windows, standard.windows)), standard)
        for policy, standard in zip(policies, FASTF1, strict=True)
    )


def policy_of(url: str) -> str:
    """Return which policy a request belongs to; all count in `ANY` besides."""
    return JOLPICA if urlsplit(url).hostname == JOLPICA_HOST else ANY


def _policy(text: str) -> Policy:
    name, _, windows = text.strip().partition("=")
    if name not in (ANY, JOLPICA):
        raise _wrong(f"{name[:40]!r} is no policy; there are {ANY} and {JOLPICA}")
    read = [_window(name, window.strip()) for window in windows.split(",")]
    return Policy(name, tuple(sorted(read, key=lambda window: -window.seconds)))


def _window(name: str, text: str) -> Window:
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise _wrong(f"{text[:40]!r} of {name} is no limit; write a number and a time, as in 500/1h or 4/1s")
    limit, seconds = int(match[1]), int(match[2] or 1) * _UNITS[match[3]]
    if limit < 1 or seconds < 1:
        raise _wrong(f"{text} of {name} would never let a request through; limits are 1 or more")
    return Window(limit, seconds)


def _wrong(why: str) -> ConfigurationError:
    return ConfigurationError(f"F1_QUOTA: {why}.", advice=f"The default is {';'.join(map(str, FASTF1))}")


def _refuse_raised(policy: Policy, standard: Policy) -> None:
    """Refuse windows that let more through than FastF1's own window of the same or a shorter time would."""
    for window in policy.windows:
        for own in standard.windows:
            if window.seconds >= own.seconds and window.limit > own.limit * window.seconds / own.seconds:
                raise _wrong(
                    f"{window} of {policy.name} is above FastF1's own limit of {own}, which its authors ask nobody to "
                    "raise: the services are run by volunteers and by F1, who may block whoever asks too much"
                )


def _merged(windows: tuple[Window, ...], standard: tuple[Window, ...]) -> tuple[Window, ...]:
    merged = {window.seconds: window for window in standard}
    for window in windows:
        known = merged.get(window.seconds)
        merged[window.seconds] = window if known is None or window.limit < known.limit else known
    return tuple(sorted(merged.values(), key=lambda window: -window.seconds))


def _one_below(policy: Policy, standard: Policy) -> Policy:
    # The short windows are no limit of FastF1 that raises: it only waits between two requests.
    numbers = {standard.longest.seconds: standard.longest.limit}
    windows = tuple(
        replace(window, limit=window.limit - 1) if numbers.get(window.seconds) == window.limit else window
        for window in policy.windows
    )
    return Policy(policy.name, windows)
