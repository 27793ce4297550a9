"""Call logs as people export them (shared/cases/calls): each is right, or refused with commands that are right."""

from __future__ import annotations

import shlex
from pathlib import Path

import pandas as pd
import pytest

from capacity.cli import run

CASES = Path(__file__).parents[2] / "shared" / "cases" / "calls"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the checkout")

NINE = (3, 36, 11)
# case, what is said after FILE and --out, and peak, number of intervals and sum of the maxima of what comes out: at
# once, or of the command that is printed first. The figures are the README's, of a brute-force sweep.
RIGHT = [
    ("01-unanswered-empty-length.csv", "--tz UTC", NINE),
    ("01-unanswered-empty-length.csv", "--tz UTC --by none --column start=time-start", (3, 37, 18)),
    ("02-decimal-comma.csv", "--tz UTC", NINE),
    ("02-decimal-comma.csv", "--tz UTC --by none --column start=Start --column 'duration=Dauer (s)'", NINE),
    ("03-milliseconds.csv", "", (3, 36, 12)),
    ("03-milliseconds.csv", "--by none --column start=start_timestamp --column duration=duration_ms", (3, 36, 12)),
    ("04-hours-minutes.csv", "--tz UTC", (3, 15, 17)),
    (
        "04-hours-minutes.csv",
        "--tz UTC --by none --column start=Datum --column duration=Dauer --time-format '%d.%m.%y %H:%M'",
        (3, 15, 17),
    ),
    ("05-legs-of-one-call.csv", "--tz UTC --by none", (3, 3, 5)),
    ("05-legs-of-one-call.csv", "--tz UTC --by none --column start=start --column end=end", (3, 4, 7)),
    ("06-compact-12-digits.csv", "--tz UTC --by none", (3, 26, 21)),
    ("07-am-pm.csv", "--tz UTC --time-format '%m/%d/%Y %I:%M:%S %p'", (3, 146, 8)),
    ("08-date-and-am-pm-time.csv", "--tz UTC --date-format %m/%d/%Y", (3, 67, 8)),
    (
        "08-date-and-am-pm-time.csv",
        "--tz UTC --date Date --date-format %m/%d/%Y --column start=Time "
        "--column duration=Duration --time-format '%I:%M:%S %p'",
        (3, 67, 8),
    ),
    ("09-postgres-offset.csv", "--tz UTC --by none", NINE),
    ("09-postgres-offset.csv", "", NINE),
    ("10-utc-suffix.csv", "--tz America/New_York --by none", NINE),
    ("11-end-year-one.csv", "--tz UTC --by none", (3, 36, 10)),
    (
        "12-carriage-returns.csv",
        "--tz UTC --by none --column start=calldate --time-format '%d/%m/%y %H:%M' --column duration=billsec",
        NINE,
    ),
    ("13-readme-minimal.csv", "--tz UTC", NINE),
    ("13-readme-minimal.csv", "--tz UTC --by None", NINE),
    ("14-cucm-type-row.csv", "", NINE),
    (
        "14-cucm-type-row.csv",
        "--by none --column start=dateTimeConnect --column end=dateTimeDisconnect --nothing 0 "
        "--drop dateTimeConnect=INTEGER",
        NINE,
    ),
    ("15-asterisk-no-header.csv", "--tz UTC --by none", NINE),
    ("16-voice-agent.json", "", NINE),
    ("16-voice-agent.json", "--by none --column start=startedAt --column end=endedAt", NINE),
    ("17-latin1.csv", "--tz UTC --by none", NINE),
    ("18-title-lines.csv", "--tz UTC", NINE),
    ("19-drop-by-value.csv", "--tz UTC --by none --drop 'status=No Answer'", NINE),
    ("19-drop-by-value.csv", "--tz UTC --only status=Answered", NINE),
    ("20-open-quote.csv", "--tz UTC --by none", NINE),
    ("21-trailing-comma.csv", "--tz UTC --by none", NINE),
    ("22-a-name-twice.csv", "--tz UTC --by none", NINE),
    ("23-a-file-a-day", "--tz UTC", (3, 324, 22)),
    ("24-names-nearly-ours.csv", "--by none", NINE),
    ("25-spaces-in-header.csv", "--tz UTC --by none --column start=callStart --column end=callEnd", NINE),
    ("25-spaces-in-header.csv", "--tz UTC", NINE),
    ("26-blocked-caller-id.csv", "--tz UTC --by none", (2, 36, 8)),
]
REFUSED = [
    ("07-am-pm.csv", "--tz UTC", (3, 146, 8)),
    ("08-date-and-am-pm-time.csv", "--tz UTC", (3, 67, 8)),
    ("12-carriage-returns.csv", "--tz UTC", (3, 36, 12)),  # from the answer: duration - billsec after calldate
    ("13-readme-minimal.csv", "", NINE),
    ("19-drop-by-value.csv", "--tz UTC", NINE),
]


def figures(path: Path) -> tuple[int, int, int]:
    """Peak, number of intervals and sum of the maxima of the total."""
    table = pd.read_parquet(path)
    total = table[table.iloc[:, 1] == "*"]["max_concurrent"]
    return int(total.max()), len(total), int(total.sum())


@pytest.mark.parametrize(("case", "words", "wanted"), RIGHT, ids=[f"{c[:2]} {w}" for c, w, _ in RIGHT])
def test_right(case, words, wanted, tmp_path):
    """A log that people have would be counted wrong, or not be read."""
    out = tmp_path / "x.parquet"
    assert run(["intervals", str(CASES / case), "--out", str(out), *shlex.split(words)]) == 0
    assert figures(out) == wanted


@pytest.mark.parametrize(("case", "words", "wanted"), REFUSED, ids=[c[:2] for c, _, _ in REFUSED])
def test_refused_with_commands_to_paste(case, words, wanted, tmp_path, capsys, monkeypatch):
    """An ambiguous log would be guessed at, or the likeliest of the commands that are printed would be wrong."""
    monkeypatch.setenv("TZ", "UTC")
    out = tmp_path / "x.parquet"
    assert run(["intervals", str(CASES / case), "--out", str(out), *shlex.split(words)]) == 1
    assert not out.exists()
    lines = capsys.readouterr().err.splitlines()
    commands = [line for line in lines if line.startswith("capacity intervals")]
    assert len(commands) > 1
    assert all(lines[lines.index(c) - 1].startswith("# ") for c in commands)
    assert run(shlex.split(commands[0])[1:]) == 0
    assert figures(out) == wanted


@pytest.mark.parametrize(
    ("case", "words", "said"),
    [
        ("07-am-pm.csv", "--tz UTC --time-format '%m/%d/%Y %H:%M:%S %p'", "%p (AM, PM) wants %I"),
        ("19-drop-by-value.csv", "--tz UTC --drop 'status=no answer'", "there are 'Answered' 9, 'No Answer' 7"),
        ("13-readme-minimal.csv", "--tz UTC --by queue", "no columns ['queue']"),
        ("13-readme-minimal.csv", "--tz UTC --unit weeks", "none of s, ms, min, hour, day"),
        ("13-readme-minimal.csv", "--tz UTC --like nobody", "there are polyai, vapi"),
    ],
)
def test_errors_in_the_words_of_the_command_line(case, words, said, tmp_path, capsys):
    """An option that matches nothing would do nothing, or its error would not say what there is."""
    assert run(["intervals", str(CASES / case), "--out", str(tmp_path / "x.csv"), *shlex.split(words)]) == 1
    assert said in capsys.readouterr().err


def test_what_is_said_of_the_cases(capsys, tmp_path):
    """Rows would be left out, or counted as turned away, without a word."""
    for case, words, said in (
        ("26-blocked-caller-id.csv", "--tz UTC", "3 turned away (column blocked)"),
        ("11-end-year-one.csv", "--tz UTC", "row 6, '0001-01-01 00:00:00'"),
        ("18-title-lines.csv", "--tz UTC", "row 17, 'Totals'"),
        ("01-unanswered-empty-length.csv", "--tz UTC --explain", "# not taken: whole call, from ringing: peak 3"),
        ("14-cucm-type-row.csv", "", "7 no start"),
    ):
        run(["intervals", str(CASES / case), "--out", str(tmp_path / "x.csv"), *shlex.split(words)])
        assert said in capsys.readouterr().err, case
