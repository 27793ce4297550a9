"""From the situation to the headline: what to do, with which number, and why."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.analysis.verdict.capping import MUCH
from capacity.analysis.verdict.confidence import no_data
from capacity.analysis.verdict.situation import Situation
from capacity.forecast.history import MIN_DAYS
from capacity.ground.text import chance, day, percent, plural

_TARGET = 0.05  # risk that the number is for
_FAR = 1.5  # times the licences for 1% risk: more are far too many
_SPARE = 3  # licences that are not worth a word
_OFTEN = 0.05  # share of days at the licences that makes them a cap to speak of


@dataclass(frozen=True)
class Headline:
    """The verdict of an assessment in a sentence: what to do, the number of licences, and why.

    Attributes
    ----------
    kind : str
        The situation: "too few", "tight", "ample", "far too many", "about to be cut", "about to rise", "capped",
        "soft-capped", "short history", "no total" or "too low" (past forecasts were too low).
    action : str
        What to do, without a full stop.
    number : int or None
        The licences that the action names; None where none can be named.
    reason : str
        Why, without a full stop.
    besides : tuple of str
        Further sentences that matter for the decision.
    reason_first : bool
        Whether `text` begins with the reason.

    See Also
    --------
    capacity.Assessment, capacity.Confidence

    Examples
    --------
    >>> import capacity as cap
    >>> print(cap.Headline("tight", "Hold 102 to keep the 90-day risk at 5%", 102, "with today's 94 it is 18%"))
    Hold 102 to keep the 90-day risk at 5%; with today's 94 it is 18%.
    """

    kind: str
    action: str
    number: int | None
    reason: str
    besides: tuple[str, ...] = ()
    reason_first: bool = False

    @property
    def text(self) -> str:
        """The action and the reason in one or two sentences."""
        if self.reason_first:
            return f"{self.reason}. {self.action}."
        return f"{self.action}; {self.reason}."

    def __str__(self) -> str:
        return " ".join((self.text, *self.besides))


def headline(facts: Situation) -> Headline:
    """Return the headline that a situation calls for.

    Examples
    --------
    >>> facts = Situation(94, 90, 400, (97, 97), needed={0.01: (110, 110), 0.05: (102, 102)}, risk=(0.18, 0.18))
    >>> print(headline(facts))
    Hold 102 (8 more) to keep the 90-day risk at 5%; with today's 94 it is 18%.
    """
    words = _Words(facts)
    if facts.parts and not facts.combined:
        kind, action, number, reason = words.no_total()
    elif facts.risk is None:
        kind, action, number, reason = words.no_forecast()
    elif facts.kept is not None:
        kind, action, number, reason = words.too_low()
    elif facts.changes:
        kind, action, number, reason = words.changed()
    else:
        kind, action, number, reason = words.plain()
    if facts.about:
        action = f"{facts.about}: {action[0].lower()}{action[1:]}"
    return Headline(kind, action, number, reason, tuple(words.besides(kind)), reason_first=kind == "too low")


_Parts = tuple[str, str, "int | None", str]  # kind, action, number, reason


class _Words:
    """The phrases of one situation."""

    def __init__(self, facts: Situation) -> None:
        self.facts = facts
        self.span = f"{facts.horizon}-day"
        self.held = f"today's {facts.licences:,}" if facts.today else f"{facts.licences:,}"
        self.most = "at most " if facts.combined else ""
        self.share = facts.days_at / max(facts.days, 1)

    # -- phrases ------------------------------------------------------------------------------------------------

    def more(self, count: int) -> str:
        """Say a count, and how many more or fewer than held it is."""
        apart = count - self.facts.licences
        if not apart:
            return f"{count:,}"
        than = "" if self.facts.today else f" than {self.facts.licences:,}"
        return f"{count:,} ({abs(apart):,} {'more' if apart > 0 else 'fewer'}{than})"

    def risk(self, p: float) -> str:
        """Say a risk, and on which side of the target it lies where rounding would hide it."""
        words = chance(p)
        if words != percent(_TARGET) or p == _TARGET:
            return words
        return f"just {'above' if p > _TARGET else 'below'} {percent(_TARGET)}"

    def needed(self, risk: float = _TARGET) -> tuple[int, int]:
        return self.facts.needed[risk]

    # -- situations ---------------------------------------------------------------------------------------------

    def plain(self) -> _Parts:
        """Say it where the licences stay as they are and the total is known, or an upper bound of it is."""
        facts, (low, high) = self.facts, self.needed()
        assert facts.risk is not None
        if facts.licences >= high:
            return self.enough()
        if facts.combined and facts.licences >= low:
            action = f"Hold at most {self.more(high)} to keep the {self.span} risk at {percent(_TARGET)}"
            return "tight", action, high, f"with {self.held} it is at most {self.risk(facts.risk[1])}"
        capped = facts.capping in ("hard", "soft") and self.share >= _OFTEN
        kind = "too few" if facts.risk[1] > 0.5 else "tight"
        reason = f"with {self.held} it is {self.range_of_risk()}{self.by()}"
        if facts.combined:
            action = f"Hold {low:,} to {high:,} to keep the {self.span} risk at {percent(_TARGET)}"
            return kind, action, high, reason
        least = "at least " if capped and (facts.capping == "soft" or self.share > MUCH) else ""
        action = f"Hold {least}{self.more(high)} to keep the {self.span} risk at {percent(_TARGET)}"
        if capped:
            return ("soft-capped" if facts.capping == "soft" else "capped"), action, high, f"{self.cap()}, and {reason}"
        return kind, action, high, reason

    def enough(self) -> _Parts:
        facts, (_, high), (_, safe) = self.facts, self.needed(), self.needed(0.01)
        assert facts.risk is not None
        if self.far(safe):
            return "far too many", *self.spare(safe, f"the {self.span} 1% level")
        risk = f"the {self.span} risk is {self.most}{self.risk(facts.risk[1])}"
        if high == facts.licences:
            reason = f"{risk}, and with one fewer it would be above {percent(_TARGET)}"
        else:
            reason = f"{risk}, and {high:,} would keep it at {percent(_TARGET)}"
        return "ample", f"Keep {facts.licences:,}", facts.licences, reason

    def far(self, safe: int) -> bool:
        return self.facts.licences > max(_FAR * safe, safe + _SPARE)

    def spare(self, safe: int, level: str) -> tuple[str, int, str]:
        """Say how many licences are more than enough: action, number, reason."""
        facts = self.facts
        least = "at least " if facts.combined or facts.parts else ""
        action = f"{facts.licences:,} licences are {least}{facts.licences - safe:,} more than {level}"
        reason = f"{self.most}{safe:,} would keep that risk at 1%"
        return action, safe, reason

    def range_of_risk(self) -> str:
        assert self.facts.risk is not None
        low, high = (self.risk(p) for p in self.facts.risk)
        return low if low == high else f"between {low} and {high}"

    def by(self) -> str:
        """Say by when exceeding is likelier than not."""
        date = self.facts.likely_by
        return f", likelier than not by {day(date, weekday=False)}" if date and not self.facts.combined else ""

    def cap(self) -> str:
        facts = self.facts
        if facts.capping == "soft":
            return (
                f"peaks pile up within a tenth above the licences on {facts.days_at:,} of {plural(facts.days, 'day')}, "
                "as at a cap"
            )
        return f"all licences were in use on {facts.days_at:,} of {plural(facts.days, 'day')}"

    def changed(self) -> _Parts:
        """Say what the next planned change does to the risk."""
        facts = self.facts
        assert facts.risk is not None and facts.unchanged is not None
        (date, count), *later = facts.changes
        down = all(n < facts.licences for _, n in facts.changes)
        up = all(n > facts.licences for _, n in facts.changes)
        name = "cut" if down else "rise" if up else "change"
        when = f"The planned {name} to {count:,} on {day(date, weekday=False)}"
        if later:
            when += f" (and {plural(len(later), 'later change')})"
        before, after = self.risk(facts.unchanged[1]), self.risk(facts.risk[1])
        high = self.needed()[1]
        if before == after:
            action = f"{when} leaves the {self.span} risk at {self.most}{after}"
        else:
            way = "raises" if facts.risk[1] > facts.unchanged[1] else "lowers"
            action = f"{when} {way} the {self.span} risk from {self.most}{before} to {self.most}{after}"
        kind = f"about to be {name}" if down else f"about to {name}"
        if facts.risk[1] <= _TARGET:
            return kind, action, count, f"{self.most}{high:,} throughout would keep it at {percent(_TARGET)}"
        return kind, action, high, f"hold {self.most}{self.more(high)} throughout to keep it at {percent(_TARGET)}"

    def too_low(self) -> _Parts:
        """Say first that past forecasts were too low."""
        facts, high = self.facts, self.needed()[1]
        assert facts.kept is not None and facts.risk is not None
        kept, tries = facts.kept
        reason = (
            f"Past forecasts were too low: their licences for {percent(_TARGET)} risk were enough in "
            f"{kept:,} of {tries:,}"
        )
        if self.far(self.needed(0.01)[1]):
            action, number, _ = self.spare(self.needed(0.01)[1], f"the {self.span} 1% level")
            return "too low", action, number, reason
        count = max(high, facts.licences)
        than = f"Hold more than {self.more(count)}" if count > facts.licences else f"Do not hold fewer than {count:,}"
        after = " with the planned changes" if facts.changes else ""
        action = (
            f"{than}: the {self.span} risk of {self.risk(facts.risk[1])} with {self.held}{after} is likely too low too"
        )
        return "too low", action, count, reason

    def no_total(self) -> _Parts:
        """Say what the bounds decide, where the total was not fetched."""
        facts = self.facts
        known = bool(facts.needed)
        low, high = self.needed() if known else facts.peak
        what = f"the highest peak in {plural(facts.days, 'day')}"
        if known:
            what = f"what keeps the {self.span} risk at {percent(_TARGET)}"
        reason = f"without a total, {what} is known only within bounds: at least {low:,}, at most {high:,}"
        if facts.licences < low:
            return "no total", f"Hold at least {self.more(low)}", low, reason
        if self.far(high):
            action = f"{facts.licences:,} licences are at least {facts.licences - high:,} more than {what}"
            return "no total", action, high, reason
        if facts.licences >= high:
            return "no total", f"Keep {facts.licences:,}", facts.licences, reason
        action = f"Fetch the total to know whether {facts.licences:,} {self.are()} enough"
        return "no total", action, None, reason

    def are(self) -> str:
        return "is" if self.facts.licences == 1 else "are"

    def no_forecast(self) -> _Parts:
        """Say what the peaks alone say."""
        facts, (low, high) = self.facts, self.facts.peak
        kind = "short history"
        reason = f"{plural(facts.days, 'day')} of history are too few for a forecast, {MIN_DAYS} are needed"
        if facts.days >= MIN_DAYS:
            kind, reason = "short history", "the days that can be used are too few for a forecast"
            if facts.capping in ("hard", "soft"):
                kind = "soft-capped" if facts.capping == "soft" else "capped"
                reason = f"{self.cap()}: what demand was cannot be told"
        if facts.days == 1:
            reason = reason.replace("1 day of history are", "1 day of history is")
        if facts.capping in ("hard", "soft"):
            at = f"the peak reached the licences on {facts.days_at:,} of {plural(facts.days, 'day')}, and "
            extra = "" if kind != "short history" else at
            return kind, f"Hold more than {max(low, facts.licences):,}", max(low, facts.licences), f"{extra}{reason}"
        peak = f"{high:,}" if low == high else f"between {low:,} and {high:,}"
        if low > facts.licences:
            return kind, f"Hold at least {self.more(low)}, the highest peak so far", low, reason
        if self.far(high):
            action = f"{facts.licences:,} licences are {facts.licences - high:,} more than the highest peak so far"
            return kind, action, high, f"it was {self.most}{high:,}, and {reason}"
        action = f"Keep {facts.licences:,} for now"
        return kind, action, facts.licences, f"the highest peak so far is {peak}, and {reason}"

    # -- what else ----------------------------------------------------------------------------------------------

    def besides(self, kind: str) -> list[str]:
        facts, said = self.facts, []
        piled = facts.capping == "soft" or (facts.capping == "hard" and self.share >= _OFTEN)
        if piled and kind not in ("capped", "soft-capped", "short history"):
            words = self.cap()
            said.append(f"{words[0].upper()}{words[1:]}; the demand behind them is estimated.")
        if facts.combined:
            said.append(
                f"The total of the {plural(facts.parts, 'project')} is not known; their sum is an upper bound of it."
            )
        if facts.growth is not None:
            ago = "a year" if facts.growth.days_before > 300 else f"{facts.growth.days_before // 7} weeks"
            said.append(f"Demand is growing: {_by(facts.growth.factor, ago)}.")
        if facts.missing:
            said.append(no_data(facts.missing))
        if facts.cheapest is not None and facts.risk is not None:
            count, risk = facts.cheapest
            said.append(f"Cheapest at the prices given: {count:,}, at a {self.span} risk of {chance(risk)}.")
        return said


def _by(factor: float, ago: str) -> str:
    """Say a growth of the mean daily peak."""
    if factor == float("inf"):
        return f"{ago} ago there were hardly any calls"
    if factor >= 2:
        return f"the mean daily peak became {factor:.1f} times as high within {ago}"
    return f"the mean daily peak rose by {percent(factor - 1)} within {ago}"
