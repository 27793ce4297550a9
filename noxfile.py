"""All that must hold, a session each: ``nox -l`` lists them, ``nox -s lint`` runs one.

Sessions run with the interpreter and packages that are there (`.venv` after `pip install -e '.[dev]'`), except those
that need packages of their own: ``public_types``, ``wheel``, ``extras``, ``floor`` and
``pythons``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]
ROOT = Path(__file__).parent
HERE = (sys.executable, "-m")  # the interpreter that runs nox


@nox.session
def lint(session: nox.Session) -> None:
    """Check format and style."""
    session.run(*HERE, "ruff", "format", "--check", ".")
    session.run(*HERE, "ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, and that each public name has them."""
    session.run(*HERE, "mypy")


@nox.session(venv_backend="venv")
def public_types(session: nox.Session) -> None:
    """Check with pyright that every public name is fully typed."""
    session.install(".", "pyright[nodejs]")
    session.chdir(session.create_tmp())  # the installed package, not the folder
    session.run("pyright", "--verifytypes", "capacity", "--ignoreexternal")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, doctests and README blocks."""
    session.run(*HERE, "pytest", "-q", "-n", "2", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Execute the notebooks."""
    session.run(*HERE, "pytest", "-q", "-n", "2", "-m", "notebooks", "tests/test_notebooks.py")


@nox.session
def fleet(session: nox.Session) -> None:
    """Run a fleet on a Dask cluster: workers killed, memory run out, stores damaged."""
    session.run(*HERE, "pytest", "-q", "-m", "fleet", "tests/test_fleet_cluster.py")


@nox.session
def browser(session: nox.Session) -> None:
    """Open the HTML report in Chromium."""
    session.run(*HERE, "pytest", "-q", "-m", "browser", "tests/test_browser.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    shutil.rmtree(ROOT / "docs" / "_build", ignore_errors=True)
    session.run(*HERE, "sphinx", "-q", "-W", "--keep-going", "docs", "docs/_build/html")


@nox.session(venv_backend="venv")
def wheel(session: nox.Session) -> None:
    """Build wheel and sdist, install the wheel alone, and load the sample from it."""
    session.install("build")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "-q")
    built = next((ROOT / "dist").glob("*.whl"))
    assert built.stat().st_size < 2_000_000, f"{built.name} has {built.stat().st_size:,} bytes"
    session.install(str(built))
    session.run("pip", "check", silent=True)
    session.chdir(session.create_tmp())
    session.run("python", "-c", "import capacity as cap; print(cap.coverage(cap.load_sample()))")


@nox.session(venv_backend="venv")
@nox.parametrize("extra", ["cloud", "emulator", "fleet", "bench", "browser", "docs", "dev"])
def extras(session: nox.Session, extra: str) -> None:
    """Install one extra alone, check that its packages agree, and load the command."""
    session.install(f".[{extra}]")
    session.run("pip", "check")
    session.chdir(session.create_tmp())
    session.run("capacity", "--version")


@nox.session(venv_backend="venv")
def floor(session: nox.Session) -> None:
    """Run the tests on the oldest versions that pyproject.toml allows."""
    session.install("-e", ".[dev]", "-c", ".ci/floor.txt")
    session.run("pytest", "-q", "-n", "2", *session.posargs)


@nox.session(venv_backend="venv", python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """Run the tests on each Python that is there."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-q", "-n", "2", *session.posargs)
