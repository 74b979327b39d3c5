"""What is to be loaded of a session: the flags of FastF1's ``Session.load()``, the circuit, and the raw feeds."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Needs:
    """What a dataset needs of a load. Telemetry is never loaded through FastF1."""

    laps: bool = False
    weather: bool = False
    messages: bool = False
    circuit: bool = False
    car_data: bool = False
    positions: bool = False
    team_radio: bool = False

    def __or__(self, other: Needs) -> Needs:
        """Give what two datasets need together."""
        return Needs(*(mine or other for mine, other in zip(astuple(self), astuple(other), strict=True)))

    @property
    def flags(self) -> dict[str, bool]:
        """The flags of ``Session.load()``."""
        return {"laps": self.laps, "weather": self.weather, "messages": self.messages, "telemetry": False}

    def __str__(self) -> str:
        """Name what is needed, for a person."""
        wanted = [field.name.replace("_", " ") for field in fields(self) if getattr(self, field.name)]
        return ", ".join(wanted) or "session and results only"
