"""Notes: sentences on what a result rests on and what was left out, with a severity."""

from __future__ import annotations

from typing import Literal

Severity = Literal["warning", "info"]


class Note(str):
    """A sentence about a result, with the field it speaks of and how much it matters.

    Attributes
    ----------
    field : str
        The field of the result that the note is about, such as "forecast"; "" where it is about all of it.
    severity : {"warning", "info"}
        "warning" where a reader may decide wrongly without it.

    See Also
    --------
    capacity.Assessment

    Examples
    --------
    >>> import capacity as cap
    >>> note = cap.Note("No forecast: 20 days, 56 are needed.", field="forecast", severity="warning")
    >>> note.severity, note
    ('warning', 'No forecast: 20 days, 56 are needed.')
    """

    field: str
    severity: Severity

    def __new__(cls, text: str, *, field: str = "", severity: Severity = "info") -> Note:
        """Make a note from its sentence."""
        note = super().__new__(cls, text)
        note.field, note.severity = field, severity
        return note

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        """Keep field and severity through pickle and copy."""
        return (str(self),), {"field": self.field, "severity": self.severity}
