"""The report as one HTML file: for e-mail, for a phone, without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from capacity import __version__
from capacity.analysis.assessment import Assessment
from capacity.ground.arguments import check_kind
from capacity.ground.files import replaced
from capacity.plan.ledger import Ledger
from capacity.report import page_ledger
from capacity.report.frame import period
from capacity.report.pages import parts
from capacity.report.panels import Panel, single, why_absent
from capacity.report.risk_curve import Table, risk_curve
from capacity.report.theme import plain, style

GLOSSARY = (
    ("Calls at once", "How many conversations are in progress at the same moment. Each takes one licence."),
    ("5-minute maximum", "The most calls at once within five minutes: not an average and not a sample."),
    ("Daily peak", "The highest 5-minute maximum of a local day."),
    ("Simulated future", "One possible sequence of the daily peaks ahead; all of them together are the forecast."),
    ("Chance of exceeding", "The share of simulated futures in which some day's peak is above the licences."),
    ("Licences for 5% risk", "The smallest count that is exceeded in at most 5% of the simulated futures."),
    ("Calls turned away", "Callers who find all licences in use. They are in no record; their number is estimated."),
    (
        "Tested, weak, untested",
        "What comes of trying the forecast on past dates: how far the verdict can be relied on.",
    ),
)


@dataclass(frozen=True)
class _Picture:
    title: str
    what: str
    svg: Markup


@dataclass(frozen=True)
class _Section:
    id: str
    title: str
    sentence: str
    figures: list[_Picture]
    absent: list[dict[str, str]]


def save_html(assessment: Assessment, path: str | os.PathLike[str], *, ledger: Ledger | None = None) -> Path:
    """Write the report into one HTML file, and return its path.

    The verdict first; a slider over the risk curve, tables that can be sorted and copied as CSV, every chart as inline
    SVG, all notes, a glossary, the seed, the version and a hash of the data. The file asks nothing of a network, and is
    readable without scripts, printed, on a phone and by a screen reader. Names from the data are escaped.

    Parameters
    ----------
    assessment : Assessment
        As `capacity.assess` returns it.
    path : path
        File to write; one of the same name is replaced, whole or not at all.
    ledger : Ledger, optional
        Adds the page of its forecasts, as in `save`.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        `path` is a folder, or `assessment` is something else.

    See Also
    --------
    capacity.report.save : the pages and every chart as PNG.
    capacity.report.save_pdf : the pages as one PDF.
    capacity.assess

    Examples
    --------
    >>> import capacity as cap, pandas as pd, tempfile
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cap.report.save_html(cap.assess(frame, 10, tz="UTC", seed=1), f"{folder}/report.html")
    ...     path.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    text = _page(assessment, page_ledger.kept(ledger, assessment))
    with replaced(path) as held:
        held.write(text.encode())
    return Path(path)


def _page(assessment: Assessment, found: page_ledger.Kept | None) -> str:
    headline = plain(str(assessment.headline))
    return render(
        "report.html.j2",
        title=f"{plain(assessment.name) or 'Licences'}: {headline}",
        name=plain(assessment.name),
        period=period(assessment),
        headline=headline,
        confidence=assessment.confidence,
        warnings=[note for note in assessment.notes if note.severity == "warning"],
        notes=assessment.notes,
        decision=_decision(assessment),
        curve=risk_curve(assessment),
        sections=_sections(assessment, found),
        glossary=GLOSSARY,
        seed=assessment.seed,
        data_hash=_data_hash(assessment),
        tz=assessment.tz,
    )


def render(template: str, **words: object) -> str:
    """Return a page of our template, style and script, which forbids itself all else."""
    script, css = ((files("capacity.report") / "assets" / f"report.{end}").read_text("utf-8") for end in ("js", "css"))
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        jinja2.Environment(
            loader=jinja2.PackageLoader("capacity.report", "assets"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
        )
        .get_template(template)
        .render(
            policy=policy,
            script=Markup(script),  # noqa: S704 - a file of this package
            style=Markup(css),  # noqa: S704 - a file of this package
            version=__version__,
            **words,
        )
    )


def _decision(assessment: Assessment) -> Table | None:
    table = assessment.decision_table()
    if table is None:
        return None
    return Table(
        ["choice", *table.columns], [[str(name), *row] for name, row in zip(table.index, table.to_numpy(), strict=True)]
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _data_hash(assessment: Assessment) -> str:
    """Return a short hash of the daily peaks that the verdict rests on."""
    return hashlib.sha256(assessment.peaks.to_csv(lineterminator="\n").encode()).hexdigest()[:12]


def _sections(assessment: Assessment, found: page_ledger.Kept | None) -> list[_Section]:
    made = []
    for number, (name, sentence, panels) in enumerate(parts(assessment, found)):
        drawn = [p for p in panels if p.stands_alone(assessment)]
        absent = [{"title": p.title, "why": why_absent(p, assessment)} for p in panels if p not in drawn]
        pictures = [_picture(p, assessment, f"p{number}{k}") for k, p in enumerate(drawn)]
        made.append(_Section(f"part-{number}", name, sentence, pictures, absent))
    return made


def _picture(panel: Panel, assessment: Assessment, prefix: str) -> _Picture:
    what = panel.what(assessment)
    with style():
        title = panel.title_of(assessment)
        drawing = svg(single(panel, assessment).figure, prefix, f"{title}. {what}")
    return _Picture(title, what, drawing)


def svg(figure: Figure, prefix: str, alt: str) -> Markup:
    """Return a figure as inline SVG with text as text, ids of its own and an alternative text."""
    held = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(held, format="svg", metadata={"Date": None, "Creator": None})
    text = held.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)
    text = (
        re.sub(r'\s(?:xmlns:xlink|xmlns|version|width|height)="[^"]*"', "", text[: text.index(">")])
        + text[text.index(">") :]
    )
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{Markup.escape(alt)}"', 1))  # noqa: S704
