"""Plain data out of a pickle, without ever executing what it says.

A pickle is a program for a small machine, which may call anything. Of its instructions those are known here that make
texts, bytes, numbers, lists, tuples and dicts; there is none that looks up or calls something, so a pickle with one is
refused before it does anything. requests-cache turns a response into such data before it pickles it.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

MOST_INSTRUCTIONS = 100_000
"""A response takes some hundred."""

_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_NUMBERS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"})
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_LITERALS = _NUMBERS | _TEXTS | {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
_NOTHING = frozenset({"PROTO", "FRAME"})
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


def plain_data_of(pickled: bytes) -> Any:  # noqa: ANN401 (any plain data)
    """Read a pickle of plain data.

    Raises
    ------
    ValueError
        When it is none, or holds anything but plain data.
    """
    try:
        return _Machine().run(pickled)
    except ValueError:
        raise
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"no pickle: {type(error).__name__}") from error


class _Machine:
    """The stack and the memo of a pickle that is read."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, pickled: bytes) -> Any:  # noqa: ANN401 (any plain data)
        for number, (instruction, argument, _) in enumerate(pickletools.genops(pickled)):
            if number > MOST_INSTRUCTIONS:
                raise ValueError("a pickle of too many instructions")
            if instruction.name == "STOP":
                (value,) = self._stack
                return value
            self._step(instruction.name, argument)
        raise ValueError("a pickle without an end")

    def _step(self, name: str, argument: Any) -> None:  # noqa: ANN401 (what the instruction carries)
        stack = self._stack
        if name in _NOTHING:
            return
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        else:
            self._fill(name)

    def _fill(self, name: str) -> None:
        """Put what stands on the stack into the list or dict below it."""
        stack = self._stack
        match name:
            case "APPEND":
                items = [stack.pop()]
            case "SETITEM":
                items = [stack.pop(), stack.pop()][::-1]
            case "APPENDS" | "SETITEMS":
                items = self._since_mark()
            case _:
                raise ValueError(f"a pickle that does more than hold data ({name})")
        into = stack[-1]
        if name.startswith("APPEND") and isinstance(into, list):
            into.extend(items)
        elif name.startswith("SETITEM") and isinstance(into, dict):
            into.update(zip(items[::2], items[1::2], strict=True))
        else:
            raise ValueError("a pickle that fills what is neither a list nor a dict")

    def _since_mark(self) -> list[Any]:
        place = len(self._stack) - 1 - self._stack[::-1].index(_MARK)
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items
