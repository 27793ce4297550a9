"""Draw ``architecture.svg`` from the imports: ``python docs/architecture.py`` writes it, a test holds it current.

Rooms are the folders of ``capacity/``. A room stands one row above the highest room that it imports; an arrow leads
from a room to one that it uses, unless it uses that one through another room as well. A file that imports ``capacity``
itself uses all.
"""

from __future__ import annotations

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "capacity"
DRAWING = Path(__file__).with_name("architecture.svg")
# Width and height of a box, gap between boxes, gap between rows, margin [px].
WIDTH, HEIGHT, GAP, ROW, MARGIN = 208, 74, 28, 62, 24


def rooms() -> dict[str, str]:
    """Return the rooms with the first words of their docstring, up to the first colon."""
    found = {}
    for init in sorted(ROOT.glob("*/__init__.py")):
        text = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
        found[init.parent.name] = text.partition("\n")[0].partition(":")[0].rstrip(".")
    return found


def imports(room: str, names: set[str]) -> set[str]:
    """Return the other rooms that any file of a room imports, type checking and pictures on request aside."""
    used = set()
    for path in (ROOT / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        skipped = {
            id(inner)
            for node in ast.walk(tree)
            if (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
            or (isinstance(node, ast.FunctionDef) and node.name in ("plot", "_repr_html_"))
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and any(alias.name == "capacity" for alias in node.names):
                used |= names  # the public face: all of it may be used
            elif isinstance(node, ast.ImportFrom) and id(node) not in skipped:
                used |= {f"{node.module}.{alias.name}".split(".")[1] for alias in node.names if node.module}
    return (used & names) - {room}


def levels(uses: dict[str, set[str]]) -> dict[str, int]:
    """Return the row of each room, 0 at the bottom."""
    found: dict[str, int] = {}

    def level(room: str) -> int:
        if room not in found:
            found[room] = 1 + max((level(other) for other in uses[room]), default=-1)
        return found[room]

    for room in uses:
        level(room)
    return found


def direct(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what a room reaches through another room anyway."""

    def below(room: str) -> set[str]:
        return uses[room].union(*(below(other) for other in uses[room]))

    return {room: used - set().union(*(below(other) for other in used)) for room, used in uses.items()}


def wrapped(text: str, width: int = 32) -> list[str]:
    """Break a line into at most two of `width` letters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if len(lines) < 3 else [lines[0], f"{lines[1]} ..."]


def svg() -> str:
    """Return the drawing."""
    about = rooms()
    uses = {room: imports(room, set(about)) for room in about}
    row_of = levels(uses)
    rows = [sorted(room for room in about if row_of[room] == at) for at in range(max(row_of.values()) + 1)]
    widest = max(len(row) for row in rows)
    full = 2 * MARGIN + widest * WIDTH + (widest - 1) * GAP
    tall = 2 * MARGIN + len(rows) * HEIGHT + (len(rows) - 1) * ROW
    place = {}
    for at, row in enumerate(rows):
        left = (full - len(row) * WIDTH - (len(row) - 1) * GAP) / 2
        for k, room in enumerate(row):
            place[room] = (left + k * (WIDTH + GAP), tall - MARGIN - HEIGHT - at * (HEIGHT + ROW))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {tall}" role="img" font-family="sans-serif">',
        "<title>The rooms of capacity, and which uses which</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5b6b7b"/></marker></defs>',
        f'<rect width="{full}" height="{tall}" fill="#fff"/>',
    ]
    for room, used in direct(uses).items():
        for other in sorted(used):
            (x, y), (u, v) = place[room], place[other]
            start, end = (x + WIDTH / 2, y + HEIGHT), (u + WIDTH / 2, v)
            middle = (start[1] + end[1]) / 2
            parts.append(
                f'<path d="M{start[0]:.0f} {start[1]:.0f}C{start[0]:.0f} {middle:.0f} {end[0]:.0f} {middle:.0f} '
                f'{end[0]:.0f} {end[1] - 2:.0f}" fill="none" stroke="#5b6b7b" stroke-width="1.4" '
                'marker-end="url(#tip)"/>'
            )
    for room, text in about.items():
        x, y = place[room]
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#eef3f8" stroke="#2b5d8a"/>'
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 24:.0f}" text-anchor="middle" font-size="16" font-weight="bold" '
            f'fill="#17324d">{escape(room)}</text>'
        )
        parts += [
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 44 + 16 * k:.0f}" text-anchor="middle" font-size="12" '
            f'fill="#333">{escape(line)}</text>'
            for k, line in enumerate(wrapped(text))
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    DRAWING.write_text(svg(), encoding="utf-8")
