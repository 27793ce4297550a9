"""What the machine around us does: proxies, certificates, bars, code pages, disks, and names."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.cli import run
from capacity.fetch.store import Store

from .faulty_server import FaultyServer, error, hasty
from .three_intervals import KEY, TRUTH, fetch


@pytest.fixture
def server():
    """Serve three intervals."""
    with FaultyServer(TRUTH) as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to that server."""
    with cap.Client("ACCOUNT-1", "PROJECT-1", api_key=KEY, base_url=server.url) as made:
        made._patience = hasty()
        yield made


# Proxies and certificates

FETCH = ["fetch", "--account", "A", "--project", "P", "--start", "2026-03-02", "--end", "2026-03-03"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("ALL_PROXY", "socks://127.0.0.1:9/"),
        ("all_proxy", "socks4://127.0.0.1:9/"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9"),
        ("HTTPS_PROXY", "http://user:s3cret@127.0.0.1:99999"),
        ("https_proxy", "http://user:s3/cret@host"),
        ("HTTPS_PROXY", "http://[::1"),
        ("HTTPS_PROXY", "::::"),
        ("HTTPS_PROXY", "http://a b c"),
        ("NO_PROXY", "http://[::1"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_FILE", "/"),
    ],
)
def test_an_environment_that_cannot_be_used_is_one_line(monkeypatch, capsys, tmp_path, name, value):
    """A proxy or a certificate of the environment ended in a traceback, or its password was shown."""
    monkeypatch.setenv("POLYAI_API_KEY", KEY)
    for other in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.lower(), raising=False)
    monkeypatch.setenv(name, value)
    if name == "NO_PROXY":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("capacity.fetch.client.Patience", lambda pauses: hasty(attempts=1, budget=5.0))
    assert run([*FETCH, "--base-url", "https://127.0.0.2.invalid", "--store", str(tmp_path)]) in (1, 3)
    told = capsys.readouterr().err
    assert "capacity: " in told
    assert "s3" not in told.replace(str(tmp_path), "")
    assert name.upper() in told.upper() or any(word in told for word in ("ConnectError", "InvalidURL", "port"))


def test_a_socks_proxy_names_the_package(monkeypatch):
    """A SOCKS proxy without its package did not say what to install."""
    pytest.importorskip("httpx")
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with (
        cap.Client("A", "P", api_key=KEY) as client,
        pytest.raises(cap.errors.ConfigError, match=r"pip install 'httpx\[socks\]'.* ALL_PROXY"),
    ):
        fetch(client)


# What is asked again, and what a server may ask for


@pytest.mark.parametrize("status", [408, 425])
def test_statuses_that_mean_send_it_again(server, client, status):
    """A load balancer's 408 or 425 cost the window."""
    server.script = lambda request, n: error(status) if n == 1 else None
    assert len(fetch(client)) == 3
    assert len(server.requests) == 2


def test_a_429_without_retry_after_makes_a_pause_that_all_share(server, client):
    """After a 429 without Retry-After the other workers went on asking at once."""
    slept: list[float] = []
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    client._patience = hasty(first_wait=0.5, sleep=sleep, clock=lambda: now[0], jitter=0.0, longest_wait=0.0)
    asked_at: list[float] = []

    def script(request, n):
        asked_at.append(now[0])
        return error(429) if n == 1 else None

    server.script, server.latency = script, 0.02
    cap.fetch_intervals(client, "2026-01-01", "2026-02-01", tz="UTC")
    assert asked_at[: client.max_workers] == [1000.0] * client.max_workers
    assert set(asked_at[client.max_workers :]) == {1000.5}


def test_a_long_pause_says_what_to_do_and_is_waited_for_where_one_says_so(server, client):
    """A Retry-After above the budget left nothing to do, or was not waited for although asked to."""
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    server.script = lambda request, n: error(429, retry_after="600") if n == 1 else None
    client._patience = hasty(sleep=sleep, clock=lambda: now[0])
    with pytest.raises(cap.errors.IncompleteError, match=r"600 s.*wait='11m' \(--wait\)"):
        fetch(client)
    with cap.Client("A", "P", api_key=KEY, base_url=server.url, wait="11m") as patient:
        patient._patience = hasty(sleep=sleep, clock=lambda: now[0], pauses=patient._patience.pauses)
        server.requests.clear()
        assert len(fetch(patient)) == 3
    with pytest.raises(cap.errors.ConfigError, match="wait='660' has no unit"):
        cap.Client("A", "P", api_key=KEY, wait="660")


# Bars and code pages


@pytest.mark.parametrize("variable", ["TQDM_DISABLE", "TQDM_MININTERVAL", "TQDM_TOTAL"])
@pytest.mark.parametrize("value", ["1", "soon"])
def test_a_bar_that_is_switched_off_loses_nothing(server, variable, value):
    """TQDM_DISABLE (or another of its variables) ended in an AttributeError, and the answers were lost."""
    program = (
        "import sys, capacity as cap\n"
        f"with cap.Client('A', 'P', api_key='k', base_url={server.url!r}) as client:\n"
        "    print(len(cap.fetch_intervals(client, '2026-01-01T00:00Z', '2026-03-01T00:00Z', progress=True)))\n"
    )
    env = os.environ | {variable: value}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3


def test_a_bar_that_cannot_be_drawn_loses_nothing(client, monkeypatch):
    """A stderr that was closed in the middle cost what had been fetched."""

    def broken(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "gone")

    monkeypatch.setattr("tqdm.std.tqdm.update", broken)
    assert len(fetch(client, progress=True)) == 3


@pytest.mark.parametrize("page", ["cp1252", "ascii", "cp437"])
def test_no_command_ends_in_a_traceback_where_the_code_page_lacks_a_letter(client, tmp_path, page):
    """`status > file` in a western code page ended in a UnicodeEncodeError for a Greek folder."""
    store = tmp_path / "Ελένη" / "calls"
    fetch(client, store=store)
    words = [["status", "--store", str(store)], ["--help"], ["fetch", "--help"], ["headroom", "--store", str(store)]]
    words.append(["export", "--store", str(store), "--out", str(store / "日本.csv")])
    env = os.environ | {"PYTHONIOENCODING": page}
    program = (
        f"from capacity.cli import run\nfor words in {words[:-2] + words[-1:]!r}: print(run(words))\nrun({words[-2]!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=env, timeout=100)
    told = done.stderr.decode(errors="replace")
    assert done.returncode == 0, told
    assert "Traceback" not in told
    assert done.stdout.decode(page, errors="replace").count("\n0") == 4, done.stdout


def test_the_version_is_printed(capsys):
    """`capacity --version` was wrong usage."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"capacity {cap.__version__}"


# Disks and names


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_a_file_that_cannot_be_read_is_not_called_damaged(client, tmp_path, monkeypatch, number):
    """A file without permission (or a bad disk, or too many open files) was called damaged, to be deleted."""
    frame = fetch(client, store=tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    whole = path.read_bytes()
    real = Path.open

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        if self.suffix == ".parquet":
            raise OSError(number, os.strerror(number))
        return real(self, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        for read in (
            lambda: cap.read_intervals(tmp_path),
            lambda: fetch(client, store=tmp_path, repair=True),
        ):
            with pytest.raises(cap.errors.StoreError, match=os.strerror(number)) as caught:
                read()
            assert not {"damaged", "delete", "repair"} & set(str(caught.value).split())
            assert caught.value.path == path
    assert path.read_bytes() == whole
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path), frame)


def test_a_folder_that_cannot_be_read_is_not_empty(client, tmp_path, monkeypatch):
    """A folder without permission was taken for one that holds nothing, and all was asked for again."""
    fetch(client, store=tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    real = os.scandir

    def refuse(folder: object) -> object:
        if str(folder) == str(path.parent):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(cap.errors.StoreError, match="Permission denied"):
        fetch(client, store=tmp_path)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EACCES, errno.EIO])
def test_a_folder_that_cannot_be_synced_holds_what_was_written(client, tmp_path, monkeypatch, number):
    """On a file system that refuses to sync a folder no fetch ever ended, although the files were written."""
    real = os.fsync

    def refuse(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode) or number == errno.EINVAL:
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    assert len(fetch(client, store=tmp_path)) == 3


@pytest.mark.skipif(os.name == "nt", reason="no ulimit there")
def test_a_disk_that_fills_up_is_one_line(tmp_path):
    """Beneath the one line stood "Task exception was never retrieved" and tracebacks, one for each window under way."""
    command = [sys.executable, "-B", "-m", "capacity", *FETCH[:-1], "2026-05-30", "--store", str(tmp_path)]
    with FaultyServer(TRUTH) as server:
        script = 'ulimit -f 1; exec "$@"'
        words = ["bash", "-c", script, "-", *command, "--base-url", server.url]
        env = os.environ | {"POLYAI_API_KEY": "k"}
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 1
    assert "cannot be written (File too large)" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_store_in_a_relative_folder_with_a_colon(client, tmp_path, monkeypatch):
    """A store in "acme:calls" was written and could not be read back."""
    monkeypatch.chdir(tmp_path)
    for name in ("acme:calls", "hdfs:a", "s3:/b", "C:x"):
        assert len(fetch(client, store=name)) == 3
        assert len(cap.read_intervals(name)) == 3
        assert (tmp_path / name).is_dir()


def test_ids_that_no_folder_can_have(server, tmp_path):
    """An id that is too long for a name ended in an OSError after the fetch, or two of them met in one folder."""
    ids = ["ü" * 60, "ü" * 59 + "u", "x" * 400, "a/b", "..x", "CON", "a:b", "tab\there"]
    for account in ids:
        with cap.Client(account, "P" * 300, api_key=KEY, base_url=server.url) as client:
            assert len(fetch(client, store=tmp_path)) == 3
            assert len(fetch(client, store=tmp_path)) == 3
    assert {scope.account for scope in Store(tmp_path).scopes()} == set(ids)
    assert len(server.requests) == len(ids)
    assert len(cap.read_intervals(tmp_path, account=ids[0])) == 3


def test_a_cell_is_no_formula(tmp_path):
    """A variant whose name is a formula was run by the spreadsheet that opened the export."""
    from capacity.ground.export import export

    ids = ["=1+1", "+1+1", "-2", "@SUM(A1)", "\t=1", "plain", "+447856838428"]
    times = pd.to_datetime(["2026-03-02T00:00Z"] * len(ids))
    frame = cap.as_intervals(
        pd.DataFrame({"time": times, "variant": ids, "variant_name": [f"={i}" for i in ids], "max_concurrent": 1})
    )
    text = export(frame, tmp_path / "x.csv").read_text()
    cells = {cell.strip('"') for line in text.splitlines()[1:] for cell in line.split(",")}
    assert [c for c in cells if c[:1] in "=+-@\t" and c != "+447856838428"] == []
    assert {"'=1+1", "'+1+1", "plain", "+447856838428", "'==1+1"} <= cells
    assert cap.as_intervals(pd.read_parquet(export(frame, tmp_path / "x.parquet"))).equals(frame)
