"""Faults on demand: what a service does on race day, by feed, as ``F1_SIMULATOR_FAULTS`` says it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Self

from f1_assets.simulator.service import SimulatedResponse

SLOW_SECONDS = 2.0
"""So long a slow service takes for the second half of a body."""

KINDS = ("timeout", "cut", "slow", "reset", "garbage", "html", "empty")
_FAULT = re.compile(r"([^=]+)=(\d{3}|[a-z]+)(?:@(0?\.\d+|1|1\.0))?")


@dataclass(frozen=True)
class Fault:
    """A fault of the addresses that contain `part` (all for ``*``), for a share of the requests.

    `kind` is an HTTP status, or one of `KINDS`.
    """

    part: str
    kind: str
    share: float = 1.0


class Faults:
    """Which faults to show.

    Parameters
    ----------
    faults
        The first one that fits an address is shown.
    seed
        Same seed, same faults in the same order.
    """

    def __init__(self, faults: tuple[Fault, ...] = (), seed: int = 1) -> None:
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311 (made-up faults, nothing is guarded)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read faults such as ``WeatherData=500,TimingData=cut@0.1,*=reset@0.02``.

        Raises
        ------
        ValueError
            When a fault cannot be read.
        """
        faults = []
        for piece in filter(None, (part.strip() for part in text.split(","))):
            match = _FAULT.fullmatch(piece)
            is_known = match is not None and (match[2] in KINDS or match[2].isdigit())
            if match is None or not is_known:
                raise ValueError(
                    f"{piece[:40]!r} is no fault; write PART=KIND or PART=KIND@SHARE, where KIND is an HTTP status or "
                    f"one of {', '.join(KINDS)}"
                )
            faults.append(Fault(match[1].strip(), match[2], float(match[3] or 1)))
        return cls(tuple(faults))

    def of(self, url: str) -> str | None:
        """Return the kind of fault to show for a request, if any."""
        for fault in self._faults:
            if fault.part in ("*", *([fault.part] if fault.part in url else [])):
                return fault.kind if self._random.random() < fault.share else None
        return None


def answer_with(kind: str) -> SimulatedResponse | None:
    """Return the whole answer that a fault gives; None for a fault of the connection."""
    binary = {"content-type": "application/octet-stream"}
    match kind:
        case "garbage":
            return SimulatedResponse(200, binary, b"\x00\xff\x13" * 99)
        case "html":
            return SimulatedResponse(200, {"content-type": "text/html"}, b"<html>be right back</html>")
        case "empty":
            return SimulatedResponse(200, binary, b"")
        case _ if kind.isdigit():
            return SimulatedResponse(int(kind), {"content-type": "text/plain"}, b"a fault on demand")
        case _:
            return None
