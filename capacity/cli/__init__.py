"""The command line: ``capacity``, also ``python -m capacity``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    from capacity.cli import demo, fetching, records, reporting  # noqa: F401  each registers its commands
    from capacity.cli.app import run

    sys.exit(run())
