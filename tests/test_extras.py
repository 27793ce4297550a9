"""Extras that are not installed: one line with the command that installs them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from capacity.errors import ConfigError
from capacity.ground.extras import extra


def test_a_missing_extra_is_one_line(tmp_path):
    """`capacity demo` or `serve` without the extra ended in a traceback, or did not say what to install."""
    for name in ("uvicorn", "starlette"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')\n")
    (tmp_path / "calls.csv").write_text("start,end\n2026-03-02T10:00Z,2026-03-02T10:05Z\n")
    env = os.environ | {"PYTHONPATH": str(tmp_path), "CAPACITY_EMULATOR_KEY": "k"}
    calls = str(tmp_path / "calls.csv")
    for words in (["demo", "--days", "2"], ["serve", "--calls", calls, "--account", "A", "--project", "P"]):
        command = [sys.executable, "-m", "capacity", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "pip install 'call-capacity[emulator]'" in done.stderr.splitlines()[-1]


def test_a_module_of_ours_that_is_missing_is_a_bug_and_says_so():
    """A module of ours that is gone was called an extra that is not installed."""
    with pytest.raises(ModuleNotFoundError), extra("emulator", "serving"):
        import capacity.no_such_module  # noqa: F401
    with pytest.raises(ConfigError, match="a scheduler needs no_such_package"), extra("fleet", "a scheduler"):
        import no_such_package  # noqa: F401
