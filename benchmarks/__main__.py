"""Run the benchmarks: ``python -m benchmarks`` runs all, ``python -m benchmarks decode again`` those two."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.table import head, render


def names() -> list[str]:
    """Return the benchmarks there are: the modules here that define a ``run``."""
    return sorted(p.stem for p in Path(__file__).parent.glob("[!_]*.py") if "\ndef run(" in p.read_text("utf-8"))


def main(arguments: list[str]) -> int:
    """Run what is asked for and print one table; 2 where a name is unknown."""
    there = names()
    unknown = [name for name in arguments if name not in there]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    rows = []
    for name in arguments or there:
        print(f"running {name} ...", file=sys.stderr)
        rows += importlib.import_module(f"benchmarks.{name}").run()
    print(head())
    print()
    print(render(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
