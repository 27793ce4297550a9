"""Erlang's loss formula (Erlang B) and its inverses: the share of calls that find every channel in use.

With load A [Erlang] offered by Poisson arrivals to n channels, calls that find none free being lost,

    B(n, A) = (A^n / n!) / (1 + A + ... + A^n / n!).

Real n is Jagerman's continuation, 1 / B(n, A) = A * integral over t > 0 of exp(-A t) (1 + t)^n, which is
Poisson density over Poisson distribution, both of which are known in closed form: no recursion, no table. Only
where many pairs have few channels is Erlang's recursion, run for all of them at once, the quicker way.

**Assumptions.** Callers who try again at once, outbound diallers that start calls in batches, and arrivals that are
peakier than Poisson all lose more calls than B says. A known peakedness is allowed for by ``peakedness=``; retries and
batches have to be added to the load.

Sources: A. K. Erlang (1917); D. L. Jagerman, "Some properties of the Erlang loss function", BSTJ 53 (1974);
A. A. Fredericks, "Congestion in blocking systems", BSTJ 59 (1980), for Hayward's approximation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from capacity.errors import ConfigError
from capacity.ground.arrays import Bools, Floats
from capacity.ground.floats import usual_float_errors
from capacity.stats.numbers import as_arrays, fewest, unwrapped

_NEWTON_STEPS = 100
_FRACTION_TERMS = 200
_FEW = 100  # channels up to which the recursion for many loads at once is quicker than the closed form
_MANY = 2_000  # so many are many
_MOST_LOAD = 1e10  # [Erlang] more than there are people
_TINY = 1e-280  # below it the incomplete gamma function loses digits, and the continued fraction is quick


@usual_float_errors
def erlang_b(channels: npt.ArrayLike, load: npt.ArrayLike, *, peakedness: npt.ArrayLike = 1.0) -> Any:
    """Return the share of calls that find every channel in use and are lost (Erlang B).

    Parameters
    ----------
    channels : array_like
        n [channels], real, at least 0. Whole numbers give Erlang's formula, others its continuation.
    load : array_like
        A [Erlang], at least 0: calls an hour times mean call length in hours. Broadcasts with `channels`.
    peakedness : array_like, default 1.0
        z, the variance over the mean of the calls in progress if there were no limit: 1 for Poisson arrivals, more for
        peaky ones. By Hayward's approximation B(n / z, A / z).

    Returns
    -------
    float, or ndarray of the broadcast shape
        Between 0 and 1, with a relative error of about 1e-12 up to 10^5 channels. B(0, A) is 1.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or no number, a peakedness of 0, or shapes that do not broadcast.

    See Also
    --------
    capacity.channels_for, capacity.load_for, capacity.blocking, capacity.erlang_c

    References
    ----------
    A. K. Erlang (1917), Solution of some problems in the theory of probabilities of significance in automatic
    telephone exchanges. D. L. Jagerman (1974), Some properties of the Erlang loss function, Bell System Technical
    Journal 53.

    Examples
    --------
    >>> import capacity as cap
    >>> round(cap.erlang_b(10, 5), 7)
    0.0183846
    >>> cap.erlang_b([2, 3], [1, 2]).round(6)
    array([0.2     , 0.210526])
    """
    n, a, z = as_arrays(channels=channels, load=load, peakedness=peakedness)
    return unwrapped(np.exp(log_erlang_b(n / z, a / z)))


@usual_float_errors
def channels_for(load: npt.ArrayLike, blocking: npt.ArrayLike, *, peakedness: npt.ArrayLike = 1.0) -> Any:
    """Return the fewest channels that lose at most the share `blocking` of the calls.

    Parameters
    ----------
    load : array_like
        A [Erlang], at least 0: calls an hour times mean call length in hours.
    blocking : array_like
        Share of calls that may be lost, above 0 and at most 1 (no number of channels loses none).
    peakedness : array_like, default 1.0
        As in `erlang_b`.

    Returns
    -------
    int, or ndarray of int64 of the broadcast shape
        The smallest whole n with B(n / z, A / z) <= blocking; 0 where nobody calls.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or NaN, or a `blocking` outside (0, 1].

    See Also
    --------
    capacity.erlang_b, capacity.load_for

    References
    ----------
    A. K. Erlang (1917), Solution of some problems in the theory of probabilities of significance in automatic
    telephone exchanges. D. L. Jagerman (1974), Some properties of the Erlang loss function, Bell System Technical
    Journal 53.

    Examples
    --------
    >>> import capacity as cap
    >>> cap.channels_for(20.33, 0.01)
    30
    >>> cap.channels_for([20.34, 20.34], [0.01, 0.1])
    array([31, 23])
    """
    load, b, z = as_arrays(load=load, blocking=blocking, peakedness=peakedness)
    _check_share(b)
    check_load(load)
    z = z.ravel()
    a, target = load.ravel() / z, np.log(b.ravel())

    def enough(n: Floats) -> Bools:
        return np.asarray(log_erlang_b(n / z, a) <= target)

    few = np.floor(z * a * -np.expm1(target)) - 1.0  # n is no less than the load that is carried, A (1 - B)
    many = fewest(enough, few, np.maximum(few, np.ceil(z * (a + np.sqrt(a)))))
    return unwrapped(np.where(a > 0, many, 0.0).astype(np.int64).reshape(load.shape))


@usual_float_errors
def load_for(channels: npt.ArrayLike, blocking: npt.ArrayLike, *, peakedness: npt.ArrayLike = 1.0) -> Any:
    """Return the load at which the share `blocking` of the calls is lost.

    Parameters
    ----------
    channels : array_like
        n [channels], real, at least 0.
    blocking : array_like
        Share of calls lost, above 0 and below 1.
    peakedness : array_like, default 1.0
        As in `erlang_b`.

    Returns
    -------
    float, or ndarray of the broadcast shape
        A [Erlang] with B(n / z, A / z) = blocking; 0 where there are no channels.

    Raises
    ------
    ConfigError
        A value that is negative, infinite or NaN, or a `blocking` outside (0, 1).

    See Also
    --------
    capacity.erlang_b, capacity.channels_for

    References
    ----------
    A. K. Erlang (1917), Solution of some problems in the theory of probabilities of significance in automatic
    telephone exchanges. D. L. Jagerman (1974), Some properties of the Erlang loss function, Bell System Technical
    Journal 53.

    Examples
    --------
    >>> import capacity as cap
    >>> cap.load_for([10, 30, 50, 100, 200], 0.01).round(3)
    array([  4.461,  20.337,  37.901,  84.064, 179.738])
    """
    n, b, z = as_arrays(channels=channels, blocking=blocking, peakedness=peakedness)
    _check_share(b)
    if bool((b >= 1.0).any()):
        raise ConfigError("blocking=1 is reached by no finite load; give a share below 1")
    n = n / z
    target = np.log(b)
    # log B rises and is concave in log A with slope n - A (1 - B): after one step Newton comes up from below.
    log_a = np.log(np.maximum(n, 0.1))
    for _ in range(_NEWTON_STEPS):
        a = np.exp(log_a)
        here = log_erlang_b(n, a)
        slope = np.maximum(n - a * -np.expm1(here), 1e-300)
        step = np.clip((target - here) / slope, -50.0, 5.0)
        log_a = np.where(n > 0, log_a + step, 0.0)
        if bool((np.abs(step) <= 1e-14 * (1.0 + np.abs(log_a)))[n > 0].all()):
            break
    return unwrapped(np.where(n > 0, np.exp(log_a), 0.0) * z)


def log_erlang_b(n: Floats, a: Floats) -> Floats:
    """Return log B(n, A) for real n, A >= 0; stable where B itself would be 0."""
    shape = np.broadcast_shapes(np.shape(n), np.shape(a))
    n, a = (np.broadcast_to(part, shape).ravel() for part in (n, a))
    few = (n <= _FEW) & (n == np.rint(n)) & (a > 0.1)  # with less load 1 / B may overflow
    if np.count_nonzero(few) < _MANY:
        return _log_closed(n, a).reshape(shape)
    out = np.empty(len(n))
    out[few] = -np.log(_inverse_b(n[few].astype(np.uint8), a[few]))
    out[~few] = _log_closed(n[~few], a[~few])
    return out.reshape(shape)


def _inverse_b(n: npt.NDArray[np.uint8], a: Floats) -> Floats:
    """Return 1 / B for whole n by Erlang's recursion, 1 / B(k) = 1 + (k / A) / B(k - 1), for all loads at once."""
    order = np.argsort(n, kind="stable")[::-1]
    per_load, inverse = 1.0 / a[order], np.ones(len(n))
    going = np.cumsum(np.bincount(n)[::-1])[::-1]  # how many have k channels or more: these come first
    for k in range(1, len(going)):  # over channels
        front = inverse[: going[k]]
        front *= per_load[: going[k]] * k
        front += 1.0
    out = np.empty(len(n))
    out[order] = inverse
    return out


def _log_closed(n: Floats, a: Floats) -> Floats:
    """Return log B as log of Poisson density over Poisson distribution; n and A of shape (pairs,)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        below = special.gammaincc(n + 1.0, a)  # Poisson distribution, P(calls in progress <= n)
        out = _log_poisson(n, a) - np.log(below)
    far = below < _TINY  # nearly everything is lost
    if bool(far.any()):
        out[far] = -np.log(a[far]) - np.log(_fraction(n[far], a[far]))
    out = np.where(n == 0.0, 0.0, np.where(a == 0.0, -np.inf, out))
    return np.minimum(out, 0.0)


def _log_poisson(n: Floats, a: Floats) -> Floats:
    """Return log of exp(-A) A^n / n!, by Loader's deviance (2000), which keeps digits where both are large."""
    safe = np.maximum(n, 1e-300)
    rel = (a - n) / safe
    near = n * (rel - np.log1p(rel))
    deviance = np.where(np.abs(rel) < 0.5, near, n * np.log(safe / a) + a - n)
    small = n < 10.0
    inverse = 1.0 / np.maximum(n, 1.0)
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
    out = -series - deviance - 0.5 * np.log(2.0 * np.pi * safe)
    if bool(small.any()):
        out[small] = n[small] * np.log(a[small]) - a[small] - special.gammaln(n[small] + 1.0)
    return np.asarray(out)


def _fraction(n: Floats, a: Floats) -> Floats:
    """Return exp(A) A^-(n+1) Gamma(n + 1, A) for A well above n: Legendre's continued fraction, by Lentz."""
    b = a - n
    c = np.full_like(a, 1e300)
    d = 1.0 / b
    h = d.copy()
    for k in range(1, _FRACTION_TERMS):
        b = b + 2.0
        weight = -k * (k - n - 1.0)
        d = 1.0 / (weight * d + b)
        c = b + weight / c
        delta = c * d
        h *= delta
        if bool((np.abs(delta - 1.0) < 1e-16).all()):
            break
    return h


def check_load(load: Floats) -> None:
    """Raise ConfigError for a load of more calls at once than there are people."""
    if load.size and load.max() > _MOST_LOAD:
        raise ConfigError(f"load={load.max()} is out of range; give at most {_MOST_LOAD:,.0f} calls at once")


def _check_share(b: Floats) -> None:
    if bool(((b <= 0) | (b > 1)).any()):
        wrong = b[(b <= 0) | (b > 1)].flat[0]
        raise ConfigError(f"blocking={wrong} is no share of calls; give one above 0 and at most 1, such as 0.01")
