"""Run the benchmarks: ``python -m benchmarks`` runs all, ``python -m benchmarks decode again`` those two."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from benchmarks.table import head, render

_NO_BENCHMARK = {"__main__", "table"}


def names() -> list[str]:
    """Return the benchmarks there are: every module here that has a ``run``."""
    here = [str(Path(__file__).parent)]
    return sorted(m.name for m in pkgutil.iter_modules(here) if m.name not in _NO_BENCHMARK and m.name[0] != "_")


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
