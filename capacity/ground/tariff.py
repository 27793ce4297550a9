"""Tariffs: the prices of licences, bursts, packages and lost calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from capacity.errors import ConfigError
from capacity.ground.arguments import as_amount, as_whole
from capacity.ground.arrays import Floats
from capacity.ground.spans import as_span

Rule: TypeAlias = Literal["licences", "maximum", "used", "held", "p95"]
Counts: TypeAlias = npt.NDArray[np.int64]

MONTHS = 12  # a year's price is paid in so many equal parts
_UNBOUNDED = 2**31 - 1


def as_rule(rule: str) -> Rule:
    """Return the billing rule.

    Raises
    ------
    ConfigError
        One that is not known.

    Examples
    --------
    >>> as_rule("used")
    'used'
    """
    if rule not in get_args(Rule):
        raise ConfigError(f"billing={rule!r} is not known; give one of {list(get_args(Rule))}")
    return rule  # type: ignore[return-value]


@dataclass(frozen=True)
class Burst:
    """The price of calls above the licences, and how many of them are carried.

    Without `channels` and `times` all of them are carried; of two limits the lower one holds. Prices add up.

    Attributes
    ----------
    channels : int, optional
        The most calls above the licences that are carried at once [calls].
    price : float, default 0
        Price of each call above the licences [money].
    times : float, optional
        The most calls at once in all, as a multiple of the licences: 3 carries up to three times the licences.
    multiple : float, default 0
        Price of a channel above the licences, as a multiple of a licence's: a month's highest level above the licences
        is billed at it.
    per_minute : float, default 0
        Price of each minute of each call above the licences [money].
    measure : {"maximum", "used", "held", "p95"}
        The billing rule that gives the month's level for `multiple`, "maximum" by default: see `Tariff`.

    Raises
    ------
    ConfigError
        A price below 0, `times` below 1, `channels` that is no whole number, or an unknown rule.

    See Also
    --------
    capacity.Tariff, capacity.best_licence_count

    Examples
    --------
    >>> import capacity as cap
    >>> cap.Burst(channels=300, times=3, multiple=2).most([100, 400])
    array([200, 300])
    >>> cap.Burst(10, 0.5).price
    0.5
    """

    channels: int | None = None
    price: float = 0.0
    times: float | None = None
    multiple: float = 0.0
    per_minute: float = 0.0
    measure: Rule = "maximum"

    def __post_init__(self) -> None:
        if self.channels is not None:
            object.__setattr__(self, "channels", as_whole(self.channels, "burst channels", least=0))
        if self.times is not None and as_amount(self.times, "burst times") < 1:
            raise ConfigError(
                f"burst times={self.times!r} must be at least 1: 3 carries up to three times the licences"
            )
        for name in ("price", "multiple", "per_minute"):
            object.__setattr__(self, name, as_amount(getattr(self, name), f"burst {name}"))
        if as_rule(self.measure) == "licences":
            raise ConfigError("burst measure='licences' measures no burst; give 'maximum', 'used', 'held' or 'p95'")

    def most(self, licences: npt.ArrayLike) -> Counts:
        """Return the most calls above the licences that are carried at once [calls].

        Parameters
        ----------
        licences : array_like of int
            Counts of licences.
        """
        held = np.asarray(licences, dtype=np.int64)
        most = np.full_like(held, _UNBOUNDED if self.channels is None else self.channels)
        return most if self.times is None else np.minimum(most, np.floor((self.times - 1) * held).astype(np.int64))


@dataclass(frozen=True)
class Package:
    """A monthly package of minutes or channels, with a price for what goes beyond it.

    Attributes
    ----------
    price : float
        Price of the package [money a month].
    included : float
        Minutes, or channels, that it includes.
    overage : float
        Price of each further minute, or channel [money].
    of : {"minutes", "channels"}
        What is counted: minutes of calls (the default), or channels of the month's level by the tariff's billing rule.

    Raises
    ------
    ConfigError
        A number below 0, or another unit.

    See Also
    --------
    capacity.Tariff

    Examples
    --------
    >>> import capacity as cap
    >>> cap.Package(price=500, included=10_000, overage=0.06).cost([9_000, 12_500]).tolist()
    [500.0, 650.0]
    """

    price: float
    included: float
    overage: float
    of: Literal["minutes", "channels"] = "minutes"

    def __post_init__(self) -> None:
        for name in ("price", "included", "overage"):
            object.__setattr__(self, name, as_amount(getattr(self, name), f"package {name}"))
        if self.of not in ("minutes", "channels"):
            raise ConfigError(f"package of={self.of!r} is not known; give 'minutes' or 'channels'")

    def cost(self, used: npt.ArrayLike) -> Floats:
        """Return the cost of each month [money].

        Parameters
        ----------
        used : array_like
            Minutes, or channels, used in each month.
        """
        return np.asarray(self.price + self.overage * np.maximum(np.asarray(used, dtype=np.float64) - self.included, 0))


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """The prices of licences, and of calls above them or turned away.

    Attributes
    ----------
    licence_price : float
        Price of one licence, or one billed channel [money a year]. A month costs a twelfth of it.
    lot : int, default 1
        Licences are sold in lots of this size.
    billing : {"licences", "maximum", "used", "held", "p95"}
        What is billed. "licences" (the default): the licences held. Otherwise the level that each month's calls
        reached, at most the licences: "maximum", the highest 5-minute maximum; "used", the level in use for at least 30
        minutes of the month in all; "held", the level in use for 30 minutes in a row; "p95", the 95th percentile of the
        5-minute maxima.
    commitment : int or str, optional
        How long a licence that was ordered has to be kept: days, "90d", "12w" or "1y". By default not at all.
    notice : int or str, optional
        How long before a licence is handed back notice has to be given, in the same forms. By default no notice.
    burst : Burst or (channels, price), optional
        Calls above the licences that are carried, and their price. By default none are carried.
    package : Package, optional
        Paid each month besides the licences.
    lost_call_cost : float, default 0
        What a call that is turned away costs you [money].

    Raises
    ------
    ConfigError
        A price below 0, a lot below 1, an unknown rule, a length of time that cannot be read, or a burst or package of
        another type.

    See Also
    --------
    capacity.best_licence_count : the cheapest count.
    capacity.monthly_bills : what the months of a history cost.
    capacity.purchase_schedule : what to order when.

    Examples
    --------
    >>> import capacity as cap
    >>> tariff = cap.Tariff(licence_price=240, lot=10, commitment="1y", notice="30d", lost_call_cost=2)
    >>> tariff.commitment, tariff.notice
    (365, 30)
    >>> print(tariff)
    Licences at 240 a year in lots of 10, kept for 365 days, notice of 30 days; a lost call costs 2
    """

    licence_price: float
    lot: int = 1
    billing: Rule = "licences"
    commitment: Any = None
    notice: Any = None
    burst: Any = None
    package: Package | None = None
    lost_call_cost: float = 0.0

    def __post_init__(self) -> None:
        read = {
            "licence_price": as_amount(self.licence_price, "licence_price"),
            "lost_call_cost": as_amount(self.lost_call_cost, "lost_call_cost"),
            "lot": as_whole(self.lot, "lot", least=1, of="licences"),
            "billing": as_rule(self.billing),
            "commitment": _days(self.commitment, "commitment"),
            "notice": _days(self.notice, "notice"),
            "burst": _as_burst(self.burst),
        }
        for name, value in read.items():
            object.__setattr__(self, name, value)
        if self.package is not None and not isinstance(self.package, Package):
            raise ConfigError(f"package={self.package!r} must be a cap.Package(price=, included=, overage=)")

    # -- arithmetic of a month ----------------------------------------------------------------------------------

    def carried_above(self, licences: npt.ArrayLike) -> Counts:
        """Return the most calls above the licences that are carried at once [calls].

        Parameters
        ----------
        licences : array_like of int
            Counts of licences.
        """
        return np.zeros_like(np.asarray(licences, dtype=np.int64)) if self.burst is None else self.burst.most(licences)

    def month_paid(self, licences: npt.ArrayLike, level: npt.ArrayLike) -> Floats:
        """Return the price of a month's licences [money].

        Parameters
        ----------
        licences : array_like
            Counts of licences; shapes broadcast.
        level : array_like
            The month's level by the billing rule [calls].
        """
        held = np.asarray(licences, dtype=np.float64)
        paid = held if self.billing == "licences" else np.minimum(np.asarray(level, dtype=np.float64), held)
        return np.asarray(self.licence_price / MONTHS * paid)

    def month_burst(
        self, licences: npt.ArrayLike, level: npt.ArrayLike, *, minutes: npt.ArrayLike = 0.0, calls: npt.ArrayLike = 0.0
    ) -> Floats:
        """Return the price of a month's calls above the licences [money].

        Parameters
        ----------
        licences : array_like
            Counts of licences; shapes broadcast.
        level : array_like
            The month's level by the rule ``burst.measure`` [calls].
        minutes, calls : array_like
            Call minutes, and calls, carried above the licences.
        """
        if self.burst is None:
            return np.zeros(np.broadcast_shapes(np.shape(licences), np.shape(level)))
        held = np.asarray(licences, dtype=np.float64)
        over = np.clip(np.asarray(level, dtype=np.float64) - held, 0.0, self.burst.most(licences))
        by_level = self.burst.multiple * self.licence_price / MONTHS * over
        return np.asarray(by_level + self.burst.per_minute * np.asarray(minutes) + self.burst.price * np.asarray(calls))

    def __str__(self) -> str:
        parts = [f"Licences at {self.licence_price:,g} a year"]
        if self.lot > 1:
            parts[0] += f" in lots of {self.lot}"
        if self.billing != "licences":
            parts.append(f"billed by {_RULES[self.billing]}")
        if self.commitment:
            parts.append(f"kept for {self.commitment} days")
        if self.notice:
            parts.append(f"notice of {self.notice} days")
        if self.burst is not None:
            parts.append(f"bursts: {_burst_words(self.burst)}")
        if self.package is not None:
            pack = self.package
            parts.append(
                f"a package of {pack.included:,g} {pack.of} at {pack.price:,g} a month, each more {pack.overage:g}"
            )
        return f"{', '.join(parts)}; a lost call costs {self.lost_call_cost:,g}"


_RULES = {
    "maximum": "the month's highest 5-minute maximum",
    "used": "the level in use for 30 minutes of the month",
    "held": "the level in use for 30 minutes in a row",
    "p95": "the 95th percentile of 5-minute maxima",
}


def _burst_words(burst: Burst) -> str:
    most = [] if burst.times is None else [f"up to {burst.times:g} times the licences"]
    most += [] if burst.channels is None else [f"at most {burst.channels:,} above them"]
    prices = [f"{burst.multiple:g} times the price"] if burst.multiple else []
    prices += [f"{burst.per_minute:g} a minute"] if burst.per_minute else []
    prices += [f"{burst.price:g} a call"] if burst.price else []
    return f"{', '.join(most) or 'without limit'} at {' and '.join(prices) or 'no price'}"


def _days(value: Any, name: str) -> int:
    return 0 if value is None else as_span(value, name)


def _as_burst(burst: Any) -> Burst | None:
    if burst is None or isinstance(burst, Burst):
        return burst
    if not isinstance(burst, Sequence) or isinstance(burst, str) or len(burst) != 2:
        raise ConfigError(f"burst={burst!r} must be a cap.Burst, or (channels, price a call)")
    return Burst(burst[0], burst[1])
