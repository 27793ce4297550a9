"""Arguments that many functions take, checked in one place: series, horizon, seed, counts and amounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from capacity.errors import ConfigError
from capacity.ground.calendar import LONGEST
from capacity.ground.frame import TOTAL


def as_whole(value: Any, name: str, *, least: int, most: int | None = None, of: str = "") -> int:
    """Return `value` as an int within its limits; 14.0 becomes 14, and True is refused.

    Raises
    ------
    ConfigError
        It is none, or outside.

    Examples
    --------
    >>> as_whole(14.0, "lot", least=1)
    14
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not float(value).is_integer() or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ConfigError(f"{name}={value!r} is no whole number{f' of {of}' if of else ''} {limits}")
    return int(value)


def as_number(value: Any, name: str, fits: Callable[[float], bool], rule: str) -> float:
    """Return a number that fits; `rule` says which do.

    Raises
    ------
    ConfigError
        It is no number, or does not fit.

    Examples
    --------
    >>> as_number("5%", "risk", lambda r: 0 < r < 1, "is not between 0 and 1; write 0.05 for 5%")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: risk='5%' is not between 0 and 1; write 0.05 for 5%
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not fits(float(value)):
        raise ConfigError(f"{name}={value!r} {rule}")
    return float(value)


def check_kind(value: object, kind: type, name: str, *, made_by: str) -> None:
    """Raise ConfigError where `value` is not an instance of `kind`.

    Parameters
    ----------
    name : str
        Of the argument.
    made_by : str
        The function that returns such a thing.

    Raises
    ------
    ConfigError
        It is something else.

    Examples
    --------
    >>> check_kind(3, dict, "forecast", made_by="dict")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: forecast must be a dict, not int; give what dict returns
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{name} must be a {kind.__name__}, not {type(value).__name__}; give what {made_by} returns")


def as_horizon(days: Any) -> int:
    """Return the horizon [days] as an int from 1 to 365.

    Raises
    ------
    ConfigError
        No whole number from 1 to 365.

    Examples
    --------
    >>> as_horizon(90)
    90
    """
    return as_whole(days, "horizon", least=1, most=LONGEST, of="days")


def as_seed(seed: Any) -> int:
    """Return the seed as an int of at least 0.

    Raises
    ------
    ConfigError
        No whole number of at least 0.

    Examples
    --------
    >>> as_seed(7)
    7
    """
    return as_whole(seed, "seed", least=0)


def as_amount(value: Any, name: str) -> float:
    """Return an amount, such as a price, as a float of at least 0.

    Raises
    ------
    ConfigError
        No finite number of at least 0.

    Examples
    --------
    >>> as_amount(40, "licence_price")
    40.0
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value < float("inf"):
        raise ConfigError(f"{name}={value!r} is out of range; give a finite number of at least 0")
    return float(value)


def whole_of(ids: Sequence[str]) -> str | None:
    """Return the series that stands for all calls: TOTAL, or the only one; None where there is neither.

    Examples
    --------
    >>> whole_of(["*", "a"]), whole_of(["a"]), whole_of(["a", "b"])
    ('*', 'a', None)
    """
    if TOTAL in ids:
        return TOTAL
    return str(ids[0]) if len(ids) == 1 else None


def pick(ids: Sequence[str], variant: str | None, *, where: str, slice_name: str = "variant") -> str:
    """Return `variant` if there is one of that name; by default TOTAL, or the only one.

    Parameters
    ----------
    where : str
        What holds the series, for the message: "the forecast".

    Raises
    ------
    ConfigError
        There is no such variant; or none was named, and there are several and no TOTAL among them.

    Examples
    --------
    >>> pick(("*", "a"), None, where="the forecast"), pick(("*", "a"), "a", where="the forecast")
    ('*', 'a')
    """
    if variant is None:
        name = whole_of(ids)
        if name is None:
            raise ConfigError(
                f"no {slice_name} was named, and no TOTAL is in {where}; give variant= one of {some(ids) or 'none'}"
            )
        return name
    if variant not in ids:
        raise ConfigError(f"variant={variant!r} is not in {where}; it has {some(ids) or 'none'}")
    return variant


def some(names: Sequence[str], most: int = 8) -> str:
    """Return the first few names in words, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
