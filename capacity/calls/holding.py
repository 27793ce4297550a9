"""Which part of a conversation takes a channel, and on which kinds of channel: the hypotheses that are tried."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import FrameError
from capacity.ground.arguments import check_kind
from capacity.ground.calls import Calls

DURATIONS = ("total_duration", "polyai_duration")
_NS = 1_000_000_000
_VOICE = ("voice", "phone", "sip", "pstn", "tel", "call")


def calls_of(calls: Calls | pd.DataFrame) -> pd.DataFrame:
    """Return the calls that were in progress as a frame; FrameError for one without ``start`` or ``end``."""
    frame = calls.frame if isinstance(calls, Calls) else calls
    check_kind(frame, pd.DataFrame, "calls", made_by="capacity.read_calls")
    if lacking := [column for column in ("start", "end") if column not in frame]:
        raise FrameError(
            f"the call records have no column {lacking[0]!r}; there are {[str(c) for c in frame.columns]}; "
            "cap.read_calls reads a log of any kind"
        )
    return frame[~frame["blocked"].fillna(False).astype(bool)] if "blocked" in frame else frame


def held_until(calls: pd.DataFrame, duration: str) -> pd.Series:
    """Return when each call stops taking a channel, by one of its durations; its end where that is not known.

    Parameters
    ----------
    calls : DataFrame
        ``start``, ``end`` and, where the log has them, the durations [s].
    duration : {"total_duration", "polyai_duration"}

    Examples
    --------
    >>> start = pd.to_datetime(["2026-07-01T14:00Z"])
    >>> calls = pd.DataFrame({"start": start, "end": start + pd.Timedelta("3min"), "polyai_duration": [60]})
    >>> held_until(calls, "polyai_duration").tolist()
    [Timestamp('2026-07-01 14:01:00+0000', tz='UTC')]
    """
    if duration not in calls or duration == "total_duration":
        return calls["end"]
    seconds = calls[duration].to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(seconds) & calls["end"].notna().to_numpy()
    length = pd.to_timedelta(np.where(known, np.rint(np.where(known, seconds, 0) * _NS), 0).astype(np.int64))
    return (calls["start"] + length).where(known, calls["end"])


def is_voice(calls: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which calls came by voice; all where the log does not say, and those of which it does not say.

    Examples
    --------
    >>> is_voice(pd.DataFrame({"channel": ["VOICE-SIP", "webchat", None]})).tolist()
    [True, False, True]
    """
    if "channel" not in calls:
        return np.ones(len(calls), dtype=bool)
    codes, labels = pd.factorize(calls["channel"])
    by_label = [any(str(label).lower().startswith(word) for word in _VOICE) or not str(label) for label in labels]
    return np.asarray(np.array([*by_label, True], dtype=bool)[codes])
