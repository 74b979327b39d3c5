"""What is to be loaded of a session: the flags of FastF1's ``Session.load()``, and the circuit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """What a dataset needs of a load. Telemetry is never loaded through FastF1."""

    laps: bool = False
    weather: bool = False
    messages: bool = False
    circuit: bool = False

    def __or__(self, other: Needs) -> Needs:
        """Give what two datasets need together."""
        return Needs(
            laps=self.laps or other.laps,
            weather=self.weather or other.weather,
            messages=self.messages or other.messages,
            circuit=self.circuit or other.circuit,
        )

    @property
    def flags(self) -> dict[str, bool]:
        """The flags of ``Session.load()``."""
        return {"laps": self.laps, "weather": self.weather, "messages": self.messages, "telemetry": False}

    def __str__(self) -> str:
        """Name what is needed, for a person."""
        wanted = [name for name in ("laps", "weather", "messages", "circuit") if getattr(self, name)]
        return ", ".join(wanted) or "session and results only"
