"""The pages of a fleet: who is at risk, how the risk is spread, who needs what by when, and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from capacity.fleet.result import Fleet
from capacity.report import fleet_lists
from capacity.report.axes import missing
from capacity.report.fleet_lists import Listing
from capacity.report.frame import GAP, MARGIN, WIDTH
from capacity.report.panels import rows_within, table
from capacity.report.sheet import PT, Area, Sheet
from capacity.report.theme import FORECAST, INK, LICENCE, MUTED, VOID, plain, style, wrap

_LEFT = 158.0  # [mm]
_HEAD = 14.0  # [mm] title and line
_END = 197.0  # [mm] where lists end
_MOST = 1_000  # rows of a list on the pages that follow
_COLOURS = [FORECAST, FORECAST, LICENCE, LICENCE, LICENCE, VOID]


def figure(fleet: Fleet) -> Figure:
    """Return the page of a fleet as a matplotlib Figure, A4 landscape."""
    with style():
        sheet = Sheet()
        ends = [_listed(area, listing) for area, listing in _overview(sheet, fleet)]
        _failed(sheet, ends[0] + 5.0, _END - (45.0 if len(fleet.pooled) else 0.0) - 4.0, fleet)
        _head(sheet, fleet)
        right, width = MARGIN + _LEFT + GAP, WIDTH - _LEFT - GAP
        _spread(Area(sheet, right, 43.0, width, 46.0), fleet)
        return sheet.figure


def further(fleet: Fleet) -> Iterator[Figure]:
    """Yield the pages that follow: what found no room on the first one, and every reason and warning in full."""
    sheet = Sheet()
    whole = [one for area, one in _overview(sheet, fleet) if len(one.rows) > _room(area, one)]
    for listing in whole:
        yield from _continued(listing)
    for listing in fleet_lists.told(fleet):
        yield from _told(listing)


def _overview(sheet: Sheet, fleet: Fleet) -> Iterator[tuple[Area, Listing]]:
    """Yield the lists of the first page and where they stand."""
    right, width = MARGIN + _LEFT + GAP, WIDTH - _LEFT - GAP
    pooled = 45.0 if len(fleet.pooled) else 0.0
    yield Area(sheet, MARGIN, 43.0, _LEFT, 152.0 - pooled), fleet_lists.ranking(fleet)
    if pooled:
        yield Area(sheet, MARGIN, _END - pooled, _LEFT, pooled - 2.0), fleet_lists.pools(fleet)
    yield Area(sheet, right, 93.0, width, 50.0), fleet_lists.needs(fleet)
    yield Area(sheet, right, 147.0, width, 48.0), fleet_lists.changes(fleet)


def _head(sheet: Sheet, fleet: Fleet) -> None:
    sheet.text(MARGIN, 15.0, "Fleet", 9, weight="bold", color=INK)
    sheet.rule(MARGIN, 18.5, WIDTH)
    words = plain(fleet.sentence())
    size = 13.0 if len(wrap(words, WIDTH * PT, 13.0, "bold")) <= 2 else 11.0
    sheet.block(MARGIN, 27.0, words, size, WIDTH, lines=2, weight="bold", leading=1.3)
    foot = "A chance is the share of sample paths on which the highest peak of the days ahead exceeds the licences."
    how = f"{fleet_lists.confidence(fleet)} Seed {fleet.settings.seed}."
    sheet.text(MARGIN, 205.0, f"{foot} {how}", 6.5, color=MUTED)


def _room(area: Area, listing: Listing) -> int:
    """Return how many rows find room, where one line may be needed to say that there are more."""
    room = rows_within(area.height - _HEAD) - 1
    return room if len(listing.rows) <= room else room - 1


def _listed(area: Area, listing: Listing) -> float:
    """Write a list, or that there is nothing in it; return where it ends [mm]."""
    sheet = area.sheet
    below = sheet.heading(area.x, area.y, area.width, listing.title, listing.what or listing.none)
    if not listing.rows:
        if listing.what:
            sheet.block(area.x, below + 6.0, listing.none, 8.0, area.width, lines=2, color=MUTED)
        return below + 6.0
    top = max(area.y + _HEAD, below + 3.0)
    inner = Area(sheet, area.x, top, area.width, area.y + area.height - top)
    room = _room(area, listing)
    few = listing.head[0] == "Pool" or len(listing.head) > 4
    end = table(inner, listing.head, listing.rows[:room], first=0.3 if few else 0.36, strong=listing.strong)
    if len(listing.rows) > room:
        end += 3.0
        sheet.text(area.x + 1.0, end, f"and {len(listing.rows) - room:,} more", 7.0, color=MUTED)
    return end


def _failed(sheet: Sheet, y: float, last: float, fleet: Fleet) -> None:
    """Say why projects have no verdict, where there is room for all of them."""
    told = [plain(f"{name}: {why}") for name, why in fleet.failed.items()]
    lines = sum(len(wrap(words, (_LEFT - 1.0) * PT, 7.0, lines=2)) for words in told)
    if y + 3.4 * lines + 0.8 * len(told) > last + 3.4:
        return
    for words in told:
        y = sheet.block(MARGIN + 1.0, y, words, 7.0, _LEFT - 1.0, lines=2, color=MUTED) + 0.8


def _spread(area: Area, fleet: Fleet) -> None:
    found = fleet_lists.spread(fleet)
    what = "" if found is None else f"Projects by chance within {found[0]} days"
    area.sheet.heading(area.x, area.y, area.width, "How the risk is spread", what)
    _bars(Area(area.sheet, area.x, area.y + 11.0, area.width, area.height - 11.0), fleet)


def _bars(area: Area, fleet: Fleet) -> None:
    found, axes = fleet_lists.spread(fleet), area.axes(left=22.0, top=0.0, bottom=1.0)
    if found is None:
        missing(axes, "The horizon is too short for a chance within 30 days.")
        return
    sizes = [size for _, size in found[1]]
    axes.barh(range(len(sizes)), sizes, color=_COLOURS, height=0.72)
    axes.set_yticks(range(len(sizes)), [name for name, _ in found[1]])
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.set_xlim(0, max(*sizes, 1) * 1.15)
    axes.spines["bottom"].set_visible(False)
    for k, size in enumerate(sizes):
        axes.annotate(f"{size:,}", (size, k), (2.5, 0), textcoords="offset points", va="center", fontsize=7.5)


def spread_alone(fleet: Fleet) -> Figure:
    """Return the distribution of risk by itself, without a title."""
    with style():
        sheet = Sheet((170.0, 38.0))
        _bars(Area(sheet, 0.0, 1.0, 170.0, 36.0), fleet)
        return sheet.figure


def _continued(listing: Listing) -> Iterator[Figure]:
    """Yield pages with all rows of a list, or as many as anybody reads on paper."""
    rows = listing.rows[:_MOST]
    room = rows_within(_END - 20.0 - _HEAD) - 1
    for at in range(0, len(rows), room):
        with style():
            sheet = Sheet()
            title = f"{listing.title}, {at + 1:,} to {min(at + room, len(rows)):,} of {len(listing.rows):,}"
            sheet.heading(MARGIN, 20.0, WIDTH, title, listing.what)
            inner = Area(sheet, MARGIN, 20.0 + _HEAD, WIDTH, _END - 20.0 - _HEAD)
            table(inner, listing.head, rows[at : at + room], strong=listing.strong)
        yield sheet.figure


def _told(listing: Listing) -> Iterator[Figure]:
    """Yield pages with names and sentences in full."""
    size, step, sheet, y = 8.0, 4.0, None, 0.0
    for name, words in listing.rows[:_MOST]:
        lines = wrap(plain(words), (WIDTH - 70.0) * PT, size)
        names = wrap(plain(name), 64.0 * PT, size, "bold")
        need = step * max(len(lines), len(names)) + 1.5
        if sheet is None or y + need > _END:
            if sheet is not None:
                yield sheet.figure
            with style():
                sheet = Sheet()
                sheet.heading(MARGIN, 20.0, WIDTH, listing.title)
            y = 33.0
        with style():
            for x, parts, weight in ((MARGIN, names, "bold"), (MARGIN + 70.0, lines, "normal")):
                for number, line in enumerate(parts):
                    sheet.text(x, y + step * number, line, size, weight=weight)
        y += need
    if sheet is not None:
        yield sheet.figure
