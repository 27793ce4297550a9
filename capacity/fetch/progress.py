"""A progress bar where somebody is looking."""

from __future__ import annotations

import contextlib
import sys
import warnings
from types import TracebackType
from typing import Any


class Progress:
    """A bar of windows, or nothing.

    Parameters
    ----------
    total : int
        How many windows will be asked for.
    shown : bool or None
        None: on a terminal or in a notebook, if there is more than one window.
    """

    def __init__(self, total: int, shown: bool | None) -> None:
        self._bar: Any = None
        if total > 0 and (shown if shown is not None else total > 1 and _watched()):
            with warnings.catch_warnings(), contextlib.suppress(Exception):  # TQDM_* may hold anything
                warnings.simplefilter("ignore")  # a notebook without ipywidgets: the plain bar does as well
                from tqdm.auto import tqdm

                bar = tqdm(total=total, desc="fetching", unit="window")
                self._bar = None if bar.disable else bar

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.close()

    def show(self, done: int, pause: float) -> None:
        """Say how many windows are done, and how long [s] a rate limit keeps everybody waiting."""
        if self._bar is None:
            return
        waiting = f"rate limited, {pause:.0f} s" if pause >= 1 else ""
        try:
            if waiting or self._bar.postfix:
                self._bar.set_postfix_str(waiting, refresh=False)
            self._bar.update(done - self._bar.n)
        except Exception:  # a bar that cannot be drawn is no reason to lose what is being fetched
            self._bar = None


def _watched() -> bool:
    if "ipykernel" in sys.modules:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        return type(shell).__name__ == "ZMQInteractiveShell"
    return sys.stderr is not None and sys.stderr.isatty()
