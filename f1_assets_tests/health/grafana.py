"""What Grafana does with a dashboard around a query: it fills in variables, and transforms what is answered."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, "str | list[str]"]


def interpolated(sql: str, values: Values) -> str:
    """Replace ``$name``, ``${name}`` and ``${name:sqlstring}``; refuse macros, formats and names that there are not."""

    def value_of(match: re.Match[str]) -> str:
        name, form = match["bare"] or match["name"], match["form"]
        value = values[name]
        if form == "sqlstring":
            listed = value if isinstance(value, list) else [value]
            return ",".join("'" + each.replace("'", "''") + "'" for each in listed)
        if form is not None or isinstance(value, list):
            raise ValueError(
                f"{match.group()}: only ${{name:sqlstring}} quotes what a variable of several values holds"
            )
        return value.replace("'", "''")

    return re.sub(r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::(?P<form>\w+))?\})", value_of, sql)


@dataclass(frozen=True)
class Frame:
    """Rows with their columns, as a panel gets them."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


def transformed(frame: Frame, transformations: list[dict[str, Any]]) -> Frame:
    """Return the frame as a panel draws it; *Grouping to matrix* is the one transformation that the dashboard has."""
    for transformation in transformations:
        if transformation["id"] != "groupingToMatrix":
            raise ValueError(f"{transformation['id']}: add here what Grafana makes of it")
        options = transformation["options"]
        across, down, value = (options[name] for name in ("columnField", "rowField", "valueField"))
        columns, rows = (list(dict.fromkeys(frame.column(name))) for name in (across, down))
        cells = dict(zip(zip(frame.column(down), frame.column(across), strict=True), frame.column(value), strict=True))
        frame = Frame(
            [f"{down}\\{across}", *map(str, columns)],
            [(row, *(cells.get((row, column)) for column in columns)) for row in rows],
        )
    return frame


def names_used(panel: dict[str, Any]) -> Iterator[str]:
    """Return the columns that a panel names in its options and overrides."""
    if name := panel["options"].get("xField"):
        yield name
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["id"] == "byName":
            yield override["matcher"]["options"]


def unit_of(panel: dict[str, Any], column: str) -> str | None:
    """Return the unit in which a panel shows a column."""
    unit: str | None = panel["fieldConfig"]["defaults"].get("unit")
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byName", "options": column}:
            unit = next((each["value"] for each in override["properties"] if each["id"] == "unit"), unit)
    return unit
