"""Who drives in the made-up season: teams and drivers that cannot be mistaken for real ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Team:
    """A team; `pace_s` is what its car loses per lap on the best one."""

    team_id: str
    name: str
    color: str
    pace_s: float


@dataclass(frozen=True)
class Driver:
    """A driver; `pace_s` is what the driver adds to the car's lap."""

    number: str
    code: str
    driver_id: str
    first_name: str
    last_name: str
    country_code: str
    nationality: str
    team: Team
    pace_s: float

    @property
    def broadcast_name(self) -> str:
        """The name as the live timing broadcasts it."""
        return f"{self.first_name[0]} {self.last_name.upper()}"

    @property
    def reference(self) -> str:
        """The short name that live timing gives it."""
        return f"{self.first_name[:3].upper()}{self.last_name[:3].upper()}01"

    @property
    def headshot_url(self) -> str:
        """The address of a portrait that does not exist."""
        return f"https://media.example/{self.driver_id}.png"


_TEAMS = (
    ("aurora", "Aurora", "1F6FEB", 0.00),
    ("borealis", "Borealis Racing", "D62839", 0.12),
    ("cobalt", "Cobalt", "0047AB", 0.25),
    ("drake", "Drake Motorsport", "F28C28", 0.42),
    ("ember", "Ember GP", "C1121F", 0.66),
    ("fjord", "Fjord", "2A9D8F", 0.90),
    ("granite", "Granite F1", "6C757D", 1.12),
    ("halcyon", "Halcyon", "8338EC", 1.36),
    ("iris", "Iris Racing", "FF69B4", 1.70),
    ("juniper", "Juniper", "386641", 2.20),
)

_DRIVERS = (
    ("7", "ALD", "Nico", "Alder", "GER", "German"),
    ("12", "BRI", "Sam", "Bright", "GBR", "British"),
    ("3", "COR", "Luca", "Corvo", "ITA", "Italian"),
    ("28", "DUN", "Tove", "Dunmar", "SWE", "Swedish"),
    ("41", "ELL", "Max", "Ellery", "NED", "Dutch"),
    ("9", "FAR", "Ines", "Farol", "POR", "Portuguese"),
    ("15", "GAU", "Remy", "Gaumont", "FRA", "French"),
    ("33", "HOL", "Piet", "Holm", "DEN", "Danish"),
    ("5", "IBA", "Juan", "Ibarra", "ESP", "Spanish"),
    ("62", "JAR", "Kai", "Jarvela", "FIN", "Finnish"),
    ("19", "KAT", "Ren", "Katano", "JPN", "Japanese"),
    ("8", "LOW", "Amy", "Lowry", "AUS", "Australian"),
    ("71", "MOR", "Theo", "Moraes", "BRA", "Brazilian"),
    ("24", "NAK", "Yuto", "Nakabe", "JPN", "Japanese"),
    ("37", "ORT", "Diego", "Ortuno", "MEX", "Mexican"),
    ("50", "PET", "Ana", "Petrova", "BUL", "Bulgarian"),
    ("66", "QUI", "Liam", "Quill", "IRL", "Irish"),
    ("81", "ROS", "Ella", "Rossdale", "USA", "American"),
    ("93", "SAN", "Tom", "Sandoval", "ARG", "Argentine"),
    ("2", "TEO", "Jin", "Teoh", "SGP", "Singaporean"),
)


def entrants(count: int) -> tuple[Driver, ...]:
    """Return the first `count` drivers, two a team, the quicker one first."""
    teams = [Team(*team) for team in _TEAMS]
    return tuple(
        Driver(
            number=number,
            code=code,
            driver_id=last.lower(),
            first_name=first,
            last_name=last,
            country_code=country,
            nationality=nationality,
            team=teams[place // 2],
            pace_s=0.0 if place % 2 == 0 else 0.11,
        )
        for place, (number, code, first, last, country, nationality) in enumerate(_DRIVERS[:count])
    )
