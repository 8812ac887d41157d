"""What a question may look at: pristine tables, current parameters, the notebook's names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import pandas as pd

_SIMPLE = (bool, int, float, str, date, pd.Timestamp, np.generic, type(None))


class Bank(Protocol):
    """The part of an opened bank that exercises use."""

    code: str
    as_of: pd.Timestamp
    truth: Mapping[str, Any] | None

    def load(self, table: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Return a pristine copy of a table."""

    def has(self, name: str) -> bool:
        """Whether the bank has ``table`` or ``table.column``."""


class MissingParameterError(KeyError):
    """A question asked for a parameter that the notebook no longer has."""


def is_parameter(name: str, value: Any) -> bool:
    """Whether a notebook name is a lesson parameter: UPPERCASE, holding a plain value."""
    if not name.isupper() or name.startswith("_"):
        return False
    return _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, _SIMPLE):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    return False


class Parameters(Mapping[str, Any]):
    """The lesson's UPPERCASE names, read live from the notebook; ``overrides`` win.

    Parameters
    ----------
    namespace : Mapping[str, Any]
        The notebook's variables.
    overrides : Mapping[str, Any], optional
        Values to use instead, e.g. those in force when the answer was computed.
    """

    def __init__(
        self, namespace: Mapping[str, Any], overrides: Mapping[str, Any] | None = None
    ) -> None:
        self._namespace = namespace
        self._overrides = dict(overrides or {})

    def __getitem__(self, name: str) -> Any:
        if name in self._overrides:
            return self._overrides[name]
        if name not in self._namespace:
            raise MissingParameterError(name)
        return self._namespace[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot())

    def __len__(self) -> int:
        return len(self.snapshot())

    def get(self, name: str, default: Any = None) -> Any:
        """Value of a parameter, or ``default`` where the lesson has none."""
        return self[name] if name in self._overrides or name in self._namespace else default

    def snapshot(self) -> dict[str, Any]:
        """Values now, as a dict."""
        found = {
            name: value for name, value in self._namespace.items() if is_parameter(name, value)
        }
        return found | self._overrides


def fingerprint(parameters: Mapping[str, Any]) -> Hashable:
    """Hashable picture of parameter values, to notice that one changed."""
    return tuple(sorted((name, repr(value)) for name, value in parameters.items()))


class Context:
    """Handed to every function of a question.

    Parameters
    ----------
    bank : Bank
        The opened bank; ``bank.load`` gives pristine tables, never the trainee's variables.
    namespace : Mapping[str, Any]
        The notebook's variables.
    overrides : Mapping[str, Any], optional
        Parameter values that replace the notebook's.

    Attributes
    ----------
    parameters : Parameters
        Current parameter values, read live.
    """

    def __init__(
        self,
        bank: Bank,
        namespace: Mapping[str, Any],
        overrides: Mapping[str, Any] | None = None,
        memory: dict[Hashable, Any] | None = None,
    ) -> None:
        self.bank = bank
        self.parameters = Parameters(namespace, overrides)
        self._namespace = namespace
        self._memory = {} if memory is None else memory

    @property
    def variables(self) -> Mapping[str, Any]:
        """Read-only live view of the notebook's variables.

        Only for checks that must look at the trainee's own result frames (CK3, CK4, CK7).
        """
        return MappingProxyType(self._namespace)

    @property
    def as_of(self) -> pd.Timestamp:
        """The data date in force."""
        return self.bank.as_of

    @property
    def truth(self) -> Mapping[str, Any] | None:
        """Planted truth of a synthetic bank; None for real data."""
        return getattr(self.bank, "truth", None)

    def load(self, table: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Return a pristine copy of one of the bank's tables."""
        return self.bank.load(table) if columns is None else self.bank.load(table, columns=columns)

    def with_parameters(self, **overrides: Any) -> Context:
        """Return the same context under other parameter values."""
        return Context(self.bank, self._namespace, overrides, self._memory)

    def on(self, namespace: Mapping[str, Any]) -> Context:
        """Return the same bank and memory seen from another namespace."""
        return Context(self.bank, namespace, None, self._memory)

    def remember(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Compute once per bank and parameter values; later calls return the stored value.

        Parameters
        ----------
        key : Hashable
            What is computed; the bank and the parameters' values are added by itself.
        compute : Callable[[], Any]
            The computation.
        """
        place = (
            getattr(self.bank, "code", ""),
            str(getattr(self.bank, "as_of", "")),
            fingerprint(self.parameters.snapshot()),
            key,
        )
        if place not in self._memory:
            self._memory[place] = compute()
        return self._memory[place]
