"""Callers who wait for an agent: Erlang's waiting formula (C), and with patience the Palm-Erlang formula (A).

Calls that are handed over to people wait while all of them are busy; they are not lost as on a full line. With
load A [Erlang] offered to n agents, mean handling time h, and in Erlang A patience that is exponential with mean p:

    C(n, A) = B / (1 - (A / n)(1 - B)),  B = B(n, A),  for n > A; 1 otherwise,
    P(answered within t) = 1 - C exp(-(n - A) t / h)                                         (Erlang C),
    P(wait) = A(x, y) B / (1 + (A(x, y) - 1) B),  A(x, y) = 1 + sum over k of y^k / ((x + 1) ... (x + k)),
    P(gives up | waits) = sum of k-th terms times k / (y A(x, y)),  x = n p / h, y = A p / h  (Erlang A).

In Erlang C nobody gives up, so it asks for more agents than Erlang A does. Callers who were put through by a voice
agent have waited already, and are less patient than those who dialled.

Sources: A. K. Erlang (1917); C. Palm, "Research on telephone traffic carried by full availability groups" (1957);
A. Mandelbaum and S. Zeltyn, "Service engineering in action: the Palm/Erlang-A queue" (2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from capacity.errors import ConfigError
from capacity.ground.arrays import Bools, Floats
from capacity.ground.call_length import CallLength, as_call_length
from capacity.stats.erlang import check_load, log_erlang_b
from capacity.stats.numbers import as_arrays, fewest, unwrapped

_TERMS = 100_000
_FULL = 0.001  # share of time in which all channels are in use


def erlang_c(agents: npt.ArrayLike, load: npt.ArrayLike) -> Any:
    """Return the share of callers who have to wait, where nobody gives up (Erlang C).

    Parameters
    ----------
    agents : array_like
        Number of agents n, at least 0.
    load : array_like
        Load A [Erlang], at least 0: calls an hour times mean handling time in hours. Broadcasts with `agents`.

    Returns
    -------
    float, or ndarray of the broadcast shape
        Between 0 and 1; 1 where the load is not below the agents, and the queue grows without end.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or no number, or shapes that do not broadcast.

    See Also
    --------
    capacity.erlang_a : callers who give up.
    capacity.service_level, capacity.agents_for, capacity.erlang_b

    References
    ----------
    A. K. Erlang (1917), Solution of some problems in the theory of probabilities of significance in automatic
    telephone exchanges.

    Examples
    --------
    >>> import capacity as cap
    >>> round(cap.erlang_c(14, 10), 4)
    0.1741
    """
    n, a = as_arrays(agents=agents, load=load)
    return unwrapped(_waits(n, a))


def erlang_a(agents: npt.ArrayLike, load: npt.ArrayLike, *, mean_call_length: CallLength, patience: CallLength) -> Any:
    """Return the share of callers who give up before an agent is free (Erlang A).

    Parameters
    ----------
    agents, load : array_like
        As in `erlang_c`; the load may be above the agents.
    mean_call_length : str, timedelta or Timedelta
        Mean handling time of an agent, such as "6m".
    patience : str, timedelta or Timedelta
        Mean time after which a caller gives up.

    Returns
    -------
    float, or ndarray of the broadcast shape
        Between 0 and 1.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or NaN, or a length of time that cannot be read.

    See Also
    --------
    capacity.erlang_c, capacity.agents_for

    References
    ----------
    O. Garnett, A. Mandelbaum, M. Reiman (2002), Designing a call center with impatient customers, Manufacturing and
    Service Operations Management 4.

    Examples
    --------
    >>> import capacity as cap
    >>> round(cap.erlang_a(50, 48, mean_call_length="1m", patience="2m"), 3)
    0.031
    """
    n, a = as_arrays(agents=agents, load=load)
    return unwrapped(_Patient(n, a, _ratio(patience, mean_call_length)).gives_up())


def service_level(
    agents: npt.ArrayLike,
    load: npt.ArrayLike,
    *,
    within: CallLength = "20s",
    mean_call_length: CallLength,
    patience: CallLength | None = None,
) -> Any:
    """Return the share of callers who are answered within a time.

    Parameters
    ----------
    agents, load : array_like
        As in `erlang_c`.
    within : str, timedelta or Timedelta
        The time in which callers are to be answered, by default "20s".
    mean_call_length : str, timedelta or Timedelta
        Mean handling time of an agent, such as "6m".
    patience : str, timedelta or Timedelta, optional
        Mean time after which a caller gives up (Erlang A); by default nobody gives up (Erlang C).

    Returns
    -------
    float, or ndarray of the broadcast shape
        Share of all callers, between 0 and 1; those who give up are not answered.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or NaN, or a length of time that cannot be read.

    See Also
    --------
    capacity.agents_for, capacity.erlang_c

    References
    ----------
    O. Garnett, A. Mandelbaum, M. Reiman (2002), Designing a call center with impatient customers, Manufacturing and
    Service Operations Management 4.

    Examples
    --------
    >>> import capacity as cap
    >>> round(cap.service_level(14, 10, within="20s", mean_call_length="3m"), 4)
    0.8884
    """
    n, a = as_arrays(agents=agents, load=load)
    return unwrapped(_answered(n, a, within, mean_call_length, patience))


def agents_for(
    load: npt.ArrayLike,
    *,
    target: npt.ArrayLike = 0.8,
    within: CallLength = "20s",
    mean_call_length: CallLength,
    patience: CallLength | None = None,
) -> Any:
    """Return the fewest agents who answer a given share of the callers within a given time.

    Parameters
    ----------
    load : array_like
        Load A [Erlang], at least 0: calls an hour times mean handling time in hours.
    target : array_like, default 0.8
        Share of callers, above 0 and below 1; 0.8 within "20s" is usual in contracts. Broadcasts with `load`.
    within, mean_call_length, patience
        As in `service_level`.

    Returns
    -------
    int, or ndarray of int64 of the broadcast shape
        Number of agents; 0 where the load is 0.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or NaN, a target outside (0, 1), or a length of time that cannot be read.

    See Also
    --------
    capacity.erlang_c, capacity.erlang_a, capacity.staffing

    References
    ----------
    O. Garnett, A. Mandelbaum, M. Reiman (2002), Designing a call center with impatient customers, Manufacturing and
    Service Operations Management 4.

    Examples
    --------
    >>> import capacity as cap
    >>> cap.agents_for([10, 100], target=0.8, mean_call_length="3m")
    array([ 14, 107])
    """
    a, goal = as_arrays(load=load, target=target)
    check_load(a)
    if bool(((goal <= 0) | (goal >= 1)).any()):
        raise ConfigError(f"target={goal[(goal <= 0) | (goal >= 1)].flat[0]} must be above 0 and below 1, such as 0.8")

    def enough(n: Floats) -> Bools:
        return _answered(n, a, within, mean_call_length, patience) >= goal

    return unwrapped(np.where(a > 0, fewest(enough, np.zeros_like(a), np.ceil(a) + 1.0), 0.0).astype(np.int64))


def staffing_columns(
    load: npt.ArrayLike, *, target: float, within: CallLength, mean_call_length: CallLength, patience: CallLength | None
) -> tuple[Floats, dict[str, npt.NDArray[Any]]]:
    """Return the loads, and for each the columns of `capacity.staffing`."""
    a = np.atleast_1d(as_arrays(load=load)[0]).ravel()
    how: dict[str, Any] = {"within": within, "mean_call_length": mean_call_length, "patience": patience}
    n = np.asarray(agents_for(a, target=target, **how), dtype=np.float64)
    if patience is None:
        waits, lost, ratio = _waits(n, a), np.zeros(len(a)), np.inf
    else:
        ratio = _ratio(patience, mean_call_length)
        queue = _Patient(n, a, ratio)
        waits, lost = queue.waits(), queue.gives_up()
    columns = {
        "agents": n.astype(np.int64),
        "service_level": _answered(n, a, within, mean_call_length, patience),
        "waits": waits,
        "gives_up": lost,
        "occupancy": np.divide(a * (1 - lost), n, out=np.zeros_like(a), where=n > 0),
        "channels": np.array([_channels(count, one, ratio) for count, one in zip(n, a, strict=True)], dtype=np.int64),
    }
    return a, columns


class _Patient:
    """The Erlang A queue: n agents, load A, patience `ratio` times the handling time."""

    def __init__(self, n: Floats, a: Floats, ratio: float) -> None:
        self.shape = np.shape(a)
        n, a = np.ravel(n), np.ravel(a)
        self.n, self.a, self.idle = n, np.maximum(a, 1e-300), a == 0
        self.x, self.y = np.maximum(n, 1e-9) * ratio, np.maximum(a, 1e-12) * ratio
        self.log_b = np.minimum(log_erlang_b(n, self.a), 0.0)
        self.log_sum, self.log_lost = self._sums()
        # P(wait) = S B / (1 + (S - 1) B), in logs.
        b, top = np.exp(self.log_b), self.log_sum + self.log_b
        with np.errstate(over="ignore"):
            self.log_waits = np.minimum(top - np.logaddexp(np.log1p(-np.minimum(b, 1 - 1e-16)), top), 0.0)

    def _sums(self) -> tuple[Floats, Floats]:
        """Return the logs of S = A(x, y) and of sum of k times its k-th term."""
        x, y = self.x, self.y
        with np.errstate(divide="ignore"):
            log_sum = np.log(x) + y - x * np.log(y) + special.gammaln(x) + np.log(special.gammainc(x, y))
            log_lost = np.log(np.maximum((y - x) * np.exp(np.minimum(log_sum, 700.0)) + x, 1e-300))
            log_lost = np.where(log_sum > 600.0, np.log(np.maximum(y - x, 1e-300)) + log_sum, log_lost)
        below = y <= x * 1.001  # there the difference above would cancel; the terms fall fast
        if bool(below.any()):
            xs, ys = x[below], y[below]
            term, total, weighted = np.ones_like(xs), np.ones_like(xs), np.zeros_like(xs)
            for k in range(1, _TERMS):
                term = term * ys / (xs + k)
                total += term
                weighted += k * term
                if bool((k * term <= 1e-16 * weighted).all()):
                    break
            log_sum[below], log_lost[below] = np.log(total), np.log(weighted)
        return log_sum, log_lost

    def waits(self) -> Floats:
        return np.asarray(np.exp(self.log_waits)).reshape(self.shape)

    def gives_up(self) -> Floats:
        given = self.log_lost - np.log(self.y) - self.log_sum
        out = np.minimum(np.exp(self.log_waits + np.minimum(given, 0.0)), 1.0)
        return np.where(self.idle, 0.0, np.where(self.n > 0, out, 1.0)).reshape(self.shape)

    def answered(self, time: float) -> Floats:
        """Return P(answered within `time`, in mean patiences)."""
        x, y = self.x, self.y
        # log of lambda J: P(wait) = lambda J / (E + lambda J).
        log_all = self.log_waits - (self.log_sum + np.log(y / x))
        part = special.gammainc(x + 1.0, y) - special.gammainc(x + 1.0, y * np.exp(-time))
        with np.errstate(divide="ignore"):
            log_part = y - x * np.log(y) + special.gammaln(x + 1.0) + np.log(np.maximum(part, 0.0))
        out = np.minimum(-np.expm1(self.log_waits) + np.exp(log_part + log_all), 1.0)
        return np.where(self.idle, 1.0, np.where(self.n > 0, out, 0.0)).reshape(self.shape)


def _waits(n: Floats, a: Floats) -> Floats:
    b = np.exp(log_erlang_b(n, a))
    use = np.divide(a, n, out=np.ones_like(a), where=n > a)
    return np.asarray(np.where(n > a, b / np.maximum(1.0 - use * (1.0 - b), 1e-300), np.where(a > 0, 1.0, 0.0)))


def _answered(n: Floats, a: Floats, within: Any, mean_call_length: Any, patience: Any) -> Floats:
    time = _length(within, "within") / _length(mean_call_length, "mean_call_length")
    if patience is not None:
        ratio = _ratio(patience, mean_call_length)
        return _Patient(n, a, ratio).answered(time / ratio)
    spare = np.maximum(n - a, 0.0)
    return np.asarray(np.where((n > a) | (a == 0), 1.0 - _waits(n, a) * np.exp(-spare * time), 0.0))


def _channels(agents: float, load: float, ratio: float) -> int:
    """Return the lines that calls in hand and in the queue fill in at most 0.1% of the time."""
    if load <= 0:
        return 0
    k = np.arange(1.0, agents + 20.0 * np.sqrt(load + 25.0) + 2000.0)
    leave = np.minimum(k, agents) + np.maximum(k - agents, 0.0) / ratio
    log_p = np.concatenate([[0.0], np.cumsum(np.log(load) - np.log(leave))])
    p = np.exp(log_p - log_p.max())
    # P(N >= c) <= share, c the lines: all of them in use, or more were needed.
    above = np.cumsum(p[::-1])[::-1] / p.sum()
    return int(np.argmax(above <= _FULL))


def _ratio(patience: CallLength, mean_call_length: CallLength) -> float:
    return _length(patience, "patience") / _length(mean_call_length, "mean_call_length")


def _length(value: CallLength, name: str) -> float:
    try:
        return float(as_call_length(value).total_seconds())
    except ConfigError as exc:
        raise ConfigError(str(exc).replace("mean_call_length", name, 1)) from exc
