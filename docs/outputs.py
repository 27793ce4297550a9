"""Run the Python blocks of Markdown pages and write what they print into the text blocks beneath them.

``python docs/outputs.py`` does it for all pages here; ``tests/test_pages.py`` holds them to it.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?P<shown>\n+```text\n(?P<text>.*?)^```$)?", re.MULTILINE | re.DOTALL
)


def pages() -> list[Path]:
    """Return the pages of this folder that show what their Python blocks print."""
    found = sorted(path for path in Path(__file__).parent.rglob("*.md") if "_build" not in path.parts)
    return [path for path in found if any(m["shown"] for m in BLOCKS.finditer(path.read_text(encoding="utf-8")))]


def refreshed(text: str) -> str:
    """Return a page with the text blocks as its Python blocks, run one after the other, print them."""
    space: dict[str, object] = {}

    def run(match: re.Match[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(match["code"], "page", "exec"), space)
        shown = "" if match["shown"] is None else f"\n\n```text\n{out.getvalue().rstrip()}\n```"
        return f"```python\n{match['code']}```{shown}"

    return BLOCKS.sub(run, text)


if __name__ == "__main__":
    wanted = [Path(name) for name in sys.argv[1:]] or pages()
    for path in wanted:
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
