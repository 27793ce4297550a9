"""The command ``capacity``, also ``python -m capacity``. An interrupt while it begins is no traceback either."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code; 130 when interrupted."""
    try:
        from capacity.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
