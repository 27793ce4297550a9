"""The words of the report: what fits, what can be drawn, and settings that are left alone."""

from __future__ import annotations

import threading

import matplotlib as mpl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.ground.text import moment, percent
from capacity.report import theme


@settings(max_examples=60)
@given(st.text(max_size=60), st.floats(20, 200))
def test_shortened_text_fits(text: str, width: float) -> None:
    """If a name is wider than its place, it runs into its neighbour."""
    line = theme.plain(text)
    assert theme.text_width(theme.shorten(line, width, 8), 8) <= max(width, theme.text_width("…", 8))


@settings(max_examples=40)
@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), max_size=30), st.floats(60, 200))
def test_wrapped_text_keeps_its_words(words: list[str], width: float) -> None:
    """If wrapping loses or doubles a word, a sentence says something else."""
    lines = theme.wrap(" ".join(words), width, 8)
    assert " ".join(lines).split() == words
    assert all(theme.text_width(line, 8) <= width for line in lines)


def test_wrapping_cuts_what_finds_no_room() -> None:
    """If the cut is not marked, half a sentence passes for a whole one."""
    lines = theme.wrap("word " * 50, 80, 8, lines=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0%"), (0.0004, "<0.1%"), (0.004, "0.4%"), (0.5, "50%"), (0.997, "99.7%"), (1.0, "100%")],
)
def test_shares_are_not_rounded_to_nought(share: float, words: str) -> None:
    """If 0.04% is written as 0%, a risk is denied."""
    assert percent(share) == words


def test_unknown_signs_become_squares() -> None:
    """If a sign without a picture is drawn, matplotlib warns and the page shows a tofu of its own."""
    assert theme.plain("a\U000f0000b") == "a\N{WHITE SQUARE}b"
    assert not theme.readable("\U000f0000")
    assert theme.readable("Reservas")


def test_dates_do_not_depend_on_the_locale() -> None:
    """If dates came from strftime, the same report would differ from machine to machine."""
    assert theme.day("2026-05-01") == "1 May 2026"
    assert moment(pd.Timestamp("2026-10-25T01:30Z").tz_convert("Europe/London")) == "Sun 25 Oct 2026 01:30"


def test_style_leaves_settings_as_they_were() -> None:
    """If the look leaks, the next plot in the user's notebook is changed."""
    with mpl.rc_context({"font.size": 21.0, "text.parse_math": True}):
        before = dict(mpl.rcParams)
        with pytest.raises(RuntimeError, match="inside"), theme.style(), theme.style():
            assert mpl.rcParams["font.size"] == 8.0
            raise RuntimeError("inside")
        assert dict(mpl.rcParams) == before


def test_style_keeps_threads_apart() -> None:
    """If two threads style at once, one resets the settings under the other."""
    inside = threading.Event()
    seen: list[float] = []

    def other() -> None:
        inside.set()
        with theme.style():
            seen.append(mpl.rcParams["axes.linewidth"])

    with theme.style():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
        assert mpl.rcParams["axes.linewidth"] == 0.6
        assert not seen
    thread.join(10)
    assert seen == [0.6]
