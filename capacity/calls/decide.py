"""From what is said and what the log shows to a plan; or to several, of which one has to be chosen by a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from capacity.calls.choices import Choice, answered, choices_of
from capacity.calls.concurrency import intervals_from_calls
from capacity.calls.kinds import kinds_of
from capacity.calls.plan import Outcome
from capacity.calls.readings import readings_of
from capacity.calls.rows import Rows
from capacity.calls.slabs import carry_out
from capacity.calls.times import OK, read_column
from capacity.calls.words import Words, option
from capacity.errors import ConfigError, FrameError
from capacity.ground.text import plural

_MOST = 16  # readings that are weighed
_LISTED = 8  # commands that are printed
_PEAK_ROWS = 2_000_000  # of larger logs no peaks are found for readings that are not taken


class Undecided(ConfigError):
    """The log can be read in several ways, and nothing tells which is meant.

    Attributes
    ----------
    choices : list of (command, what it counts)
        The likeliest first.
    """

    def __init__(self, message: str, choices: list[tuple[str, str]]) -> None:
        super().__init__(message)
        self.message: str = message
        self.choices: list[tuple[str, str]] = choices

    def __str__(self) -> str:
        return "\n".join([self.message, *(line for command, what in self.choices for line in (f"# {what}", command))])


@dataclass(frozen=True)
class Decision:
    """The way that is taken, what it gave, and the other readings of a known export."""

    choice: Choice
    outcome: Outcome
    others: list[tuple[str, str]] = field(default_factory=list)


def decide(rows: Rows, words: Words, progress: Callable[[int], object] | None = None) -> Decision:
    """Return how the log is read.

    Raises
    ------
    Undecided
        Neither a known export nor the cells decide between readings that give other calls.
    ConfigError, FrameError
        Something is missing that the words have to say.
    """
    names, sample = rows.names, rows.sample()
    readings, decided = readings_of(names, sample, words)
    kinds = kinds_of(sample)
    taken = readings[:1] if decided else readings[:_MOST]
    choices = []
    for reading in taken:
        found = choices_of(rows, reading, words, kinds, names=len(taken) > 1 or reading.guess)
        choices += answered(rows, found, both=not reading.like)
    choices = choices[:_MOST]
    if not choices:
        raise FrameError(
            f"nothing tells when calls end or how long they are; there are {list(names)}; "
            f"say which column is what with {option('columns')}"
        )
    guess = readings[0].guess
    if len(choices) == 1 and not guess:
        _ask_for_zone(choices[0], rows)
        outcome = carry_out(choices[0].plan, rows, progress)
        others = [c for r in readings[1:] for c in choices_of(rows, r, words, kinds, names=True)] if decided else []
        if words.drop is None and choices[0].plan.drop:
            others += [
                replace(c, plan=replace(c.plan, drop={}), words=replace(c.words, drop={}), differs=("all rows",))
                for c in choices
            ]
        return Decision(choices[0], outcome, _beside(others, outcome, rows))
    results = _weighed(choices, rows)
    if len(results) == 1 and not guess:
        _ask_for_zone(results[0][0], rows)
        return Decision(*results[0])
    raise Undecided(
        f"{rows.logs[0].name} can be read in several ways, and nothing in it decides; nothing is read. "
        "Take the line that is meant:",
        [_line(choice, outcome) for choice, outcome in results[:_LISTED]],
    )


def _ask_for_zone(choice: Choice, rows: Rows) -> None:
    """Raise Undecided where the times are local and the zone is not known."""
    if not choice.asks_zone:
        return
    reading = choice.plan.reading
    column = read_column(
        rows.columns[reading.start], order=choice.plan.order, formats=choice.plan.formats, none=choice.plan.none
    )
    wall = (column.state == OK) & ~column.aware
    first = rows.cell(reading.start, int(np.argmax(wall)))
    zones = dict.fromkeys((str(choice.words.tz), "UTC", *(["Europe/London"] if str(choice.words.tz) == "UTC" else [])))
    lines = [
        (
            replace(choice.words, tz=zone).spoken(),
            f"times in {zone}" + (" (say, or your own zone)" if k and zone != "UTC" else ""),
        )
        for k, zone in enumerate(zones)
    ]
    raise Undecided(
        f"{int(wall.sum()):,} times have no time zone (first: {first}); "
        f"say where they are local with {option('tz', 'Europe/London')} (say), or 'UTC':",
        lines,
    )


def _weighed(choices: list[Choice], rows: Rows) -> list[tuple[Choice, Outcome]]:
    """Carry the plans out; leave out those that cannot be, and those that give the same calls as one before."""
    results: list[tuple[Choice, Outcome]] = []
    failed: list[FrameError | ConfigError] = []
    for choice in choices:
        try:
            results.append((choice, carry_out(choice.plan, rows)))
        except (FrameError, ConfigError) as exc:
            failed.append(exc)
    if not results:
        raise failed[0]
    least = min(o.tally.bad for _, o in results)
    results = [(c, o) for c, o in results if o.tally.bad <= least + 0.01 * rows.size]
    results = [(c, o) for c, o in results if len(o.starts)] or results
    kept: list[tuple[Choice, Outcome]] = []
    for choice, outcome in results:
        if not any(outcome.same(o) for _, o in kept):
            kept.append((choice, outcome))
    return kept


def _line(choice: Choice, outcome: Outcome) -> tuple[str, str]:
    what = ", ".join(choice.differs) or choice.plan.reading.title
    return choice.words.spoken(), f"{what}: {_peak(outcome)}"


def _peak(outcome: Outcome) -> str:
    calls = plural(len(outcome.starts), "call")
    if len(outcome.starts) > _PEAK_ROWS or not len(outcome.starts):
        return calls
    try:
        frame = intervals_from_calls(outcome.frame(), by=None)
    except (ConfigError, FrameError):
        return calls
    return f"peak {int(frame['max_concurrent'].max()) if len(frame) else 0}, {calls}"


def _beside(others: list[Choice], taken: Outcome, rows: Rows) -> list[tuple[str, str]]:
    """Return the other readings of a known export that give other calls."""
    lines, seen = [], [taken]
    for choice in others[:4]:
        if rows.size > _PEAK_ROWS:
            lines.append((choice.words.spoken(), choice.plan.reading.title))
            continue
        try:
            outcome = carry_out(choice.plan, rows)
        except (FrameError, ConfigError):
            continue
        if not any(outcome.same(o) for o in seen):
            seen.append(outcome)
            lines.append(_line(choice, outcome))
    return lines
