"""The HTTP client: timeout, retry, error mapping. The only file that knows httpx."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections.abc import Callable, Coroutine, Sized
from types import TracebackType
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import anyio
import httpx
import pandas as pd
import stamina

from capacity.errors import (
    BadRequest,
    ConfigError,
    FetchError,
    NotFound,
    NotSupported,
    RateLimited,
    ServerError,
    TransportFailure,
    Unauthorized,
)
from capacity.fetch import endpoint, payload
from capacity.fetch.endpoint import Scope
from capacity.fetch.keys import API_KEY_VARIABLE, CALLS_KEY_VARIABLE, Keys, Secret
from capacity.fetch.logs import mind_the_logs
from capacity.fetch.loop import PrivateLoop, to_its_end
from capacity.fetch.patience import Patience, Pause, Slot, retry_after
from capacity.fetch.windows import Window
from capacity.ground.durations import Length, as_length

DEFAULT_TIMEOUT = 10.0  # [s] a phase: five hanging reads fit the budget of a window

T = TypeVar("T")
Answer = TypeVar("Answer", bound=Sized)

_LOG = logging.getLogger("capacity.fetch")
_KEY_HEADER = "x-api-key"
_BY_STATUS: dict[int, type[FetchError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    429: RateLimited,
    501: NotSupported,
}
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES: tuple[str, ...] = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_SHOWN = 300  # characters of what a server says


class Client:
    """A connection to the APIs of one project: its 5-minute maxima and its call records.

    Use it in a ``with`` statement, which closes the connections at the end. See `capacity.fetch_intervals`.

    Parameters
    ----------
    account_id, project_id : str
        As the platform shows them, in any of its forms, such as "ACCOUNT-t53y16r3" and "PROJECT-f76d75c2".
    api_key : str, optional
        By default the environment variable POLYAI_API_KEY; for call records (`capacity.fetch_calls`)
        POLYAI_V3_API_KEY, and POLYAI_API_KEY where that is not set. It is in no repr, log, exception or file.
    region : {"us-1", "uk-1", "euw-1"}, default "us-1"
        The region of the server.
    base_url : str, optional
        Address of another server, in place of a region. Plain http is refused but for loopback.
    timeout : float, default 10
        Time limit of connecting, and of each read [s].
    max_workers : int, default 4
        Number of requests at once.
    wait : str or timedelta, optional
        How much longer than the 60 s of a window to wait where the server asks for a pause (Retry-After), such as "1h";
        by default not at all: the windows that are left are then missing.
    transport : httpx.AsyncBaseTransport, optional
        What sends the requests, for tests.

    Raises
    ------
    ConfigError
        No key, an unknown region, a base URL over plain http off loopback, a number of workers or a time limit that is
        out of range; with the first request, a proxy or certificates of the environment that cannot be used.

    See Also
    --------
    capacity.fetch_intervals, capacity.fetch_calls

    Examples
    --------
    >>> import capacity as cap
    >>> with cap.Client("ws-1", "PROJECT-1", api_key="secret", region="uk-1") as client:
    ...     print(client)
    Client('ws-1', 'PROJECT-1', base_url='https://api.uk-1.platform.polyai.app')
    """

    def __init__(
        self,
        account_id: str,
        project_id: str,
        *,
        api_key: str | None = None,
        region: str = "us-1",
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_workers: int = 4,
        wait: Length | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        Scope(account_id, project_id)  # says what is wrong with an id
        self.account_id = account_id
        self.project_id = project_id
        self.base_url: str = endpoint.base_of(region, base_url)
        if isinstance(max_workers, bool) or not isinstance(max_workers, int) or max_workers < 1:
            raise ConfigError(f"max_workers={max_workers!r} is no number of requests at once; give 1 or more")
        if not timeout > 0:
            raise ConfigError(f"timeout={timeout!r} is no time to wait; give seconds, such as {DEFAULT_TIMEOUT}")
        self.timeout: float = float(timeout)
        self.max_workers = max_workers
        self._key = Keys(api_key)
        self._transport = transport
        self._patience = Patience(pauses=as_length(wait, name="wait").total_seconds() if wait is not None else 0.0)
        self._now: Callable[[], pd.Timestamp] = lambda: pd.Timestamp.now("UTC")
        self._session: _Session | None = None
        mind_the_logs()

    def __repr__(self) -> str:
        return f"Client({self.account_id!r}, {self.project_id!r}, base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client holds a key and open connections and is not pickled; make one where it is needed")

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client opens new ones if it is used again."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _open(self) -> _Session:
        # After a fork the thread of the loop does not exist in the child: it needs its own session.
        if self._session is None or self._session.pid != os.getpid():
            self._session = _Session(self)
        return self._session


class _Session:
    """The connections of a client and the loop they live in."""

    def __init__(self, client: Client) -> None:
        self.pid = os.getpid()
        self._base = client.base_url
        self._key = client._key
        self._patience = client._patience
        self._pause = Pause(client._patience)
        self._slots = asyncio.Semaphore(client.max_workers)
        self._http = _connections(client)
        self._loop = PrivateLoop()
        self.close = weakref.finalize(client, self._loop.close, self._http.aclose)

    def run(self, work: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        return self._loop.run(work, tick)

    @property
    def pause_left(self) -> float:
        """How long a rate limit keeps all requests waiting [s]."""
        return self._pause.left

    async def answer(self, scope: Scope, window: Window, keep: Callable[[payload.Rows], None]) -> payload.Rows:
        """Ask for one window of maxima until it is answered and kept, or raise what went wrong last."""

        def read_and_keep(body: bytes) -> payload.Rows:
            rows = payload.parse(body, window, scope.by)
            keep(rows)
            return rows

        return await self.get(endpoint.url(self._base, scope, window), scope, window, read_and_keep)

    @property
    def base(self) -> str:
        """The base URL."""
        return self._base

    async def get(
        self, url: str, scope: Scope, window: Window, read: Callable[[bytes], Answer], *, key: str = API_KEY_VARIABLE
    ) -> Answer:
        """Ask for one URL until its answer is read, or raise what went wrong last.

        `read` takes the body in a thread; `key` is the environment variable of the key to send; `scope` and
        `window` are for logs and errors.
        """
        secret = self._key.of(key)
        patience, pause, slot = self._patience, self._pause, Slot(self._slots)
        attempts = 0

        def again(error: Exception) -> bool:
            if not (isinstance(error, FetchError) and payload.retryable(error)):
                return False
            _LOG.info("%s %s: %s; asking again", scope, window, error.message)
            return patience.clock() + pause.left < began + patience.longest_pause

        try:
            await slot.take()
            await self._after_pause(window)
            began = patience.clock()
            with anyio.fail_after(patience.budget) as limit:
                async for attempt in stamina.retry_context(on=again, **patience.stamina):
                    with attempt:
                        attempts = attempt.num
                        await slot.take()
                        limit.deadline += await pause.over()
                        return await self._once(url, scope, window, slot, read, secret)
        except FetchError as exc:
            exc.attempts = attempts
            raise
        except TimeoutError as exc:
            kind = RateLimited if pause.left > 0 else TransportFailure
            raise kind(f"no answer within {patience.budget:g} s in all", window=window, attempts=attempts) from exc
        finally:
            slot.give()
        raise AssertionError("stamina always returns or raises")

    async def _after_pause(self, window: Window) -> None:
        """Wait for a pause that began with another window; it costs this one nothing of its budget."""
        if self._pause.left > self._patience.longest_pause:
            raise RateLimited(f"not asked: {self._too_long(self._pause.left)}", window=window, attempts=0)
        await self._pause.over()

    def _too_long(self, seconds: float) -> str:
        return (
            f"the server wants a pause of {seconds:.0f} s, longer than the {self._patience.longest_pause:g} s that one "
            f"window may take; ask again then, or let the client wait with wait='{seconds // 60 + 1:.0f}m' (--wait)"
        )

    async def _once(
        self, url: str, scope: Scope, window: Window, slot: Slot, read: Callable[[bytes], Answer], secret: Secret
    ) -> Answer:
        response = await self._send(url, scope, window, secret)
        if response.status_code != 200:
            pause = self._maybe_pause(response)
            raise self._refused(response, scope, window, secret, pause)
        slot.give()  # reading the answer need not keep others from asking
        body = response.content
        del response  # or the body would stay in memory for as long as what was read of it
        answer = await to_its_end(lambda: read(body))
        _LOG.info("%s %s: %d rows", scope, window, len(answer))
        return answer

    async def _send(self, url: str, scope: Scope, window: Window, secret: Secret) -> httpx.Response:
        _LOG.debug("GET %s", endpoint.mask(url))
        try:
            request = self._http.build_request("GET", url, headers={_KEY_HEADER: secret.reveal()})
            return await self._http.send(request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as exc:
            if isinstance(exc, httpx.RequestError):
                exc.request = httpx.Request("GET", self._base)  # its own has the key and the phone number in it
            told = exc.exceptions[0] if isinstance(exc, ExceptionGroup) else exc
            why = self._clean(str(told), scope) or "no answer"
            raise TransportFailure(f"{type(told).__name__}: {why}", window=window) from exc

    def _maybe_pause(self, response: httpx.Response) -> float:
        """Make all workers wait where the server asks for it; return how long [s]."""
        if response.status_code not in (429, 503):
            return 0.0
        asked = retry_after(response.headers.get("retry-after"), response.headers.get("date"))
        if asked is None and response.status_code == 429:
            asked = self._patience.first_wait
        if asked is None:
            return 0.0
        _LOG.info("%d: all requests wait for %.1f s", response.status_code, asked)
        self._pause.extend(asked)
        return asked

    def _refused(
        self, response: httpx.Response, scope: Scope, window: Window, secret: Secret, pause: float
    ) -> FetchError:
        status = response.status_code
        kind = _BY_STATUS.get(status, ServerError if 500 <= status < 600 else FetchError)
        said = payload.error_message(response.content)
        message = f"{status} {response.reason_phrase}".strip()
        if said:
            said = self._clean(said, scope)
            if secret.variable == CALLS_KEY_VARIABLE:
                said = endpoint.without_numbers(said)
            message += f": {said}"
        remedy = self._remedy(status, scope, response.headers.get("location", ""), secret.variable)
        if pause > self._patience.longest_pause:
            remedy = self._too_long(pause)
        if remedy:
            message += f" ({remedy})"
        return kind(message, window=window, status=status, error_message=said)

    def _remedy(self, status: int, scope: Scope, location: str, variable: str) -> str:
        if status in (401, 403):
            return f"the key is not accepted for account {scope.account} at {self._base}; check {variable}"
        if status == 404:
            return f"no account {scope.account} with project {scope.project} at {self._base}; check ids and region"
        if status == 501 and scope.by in ("language", "phone_number"):
            return f"the API does not slice by {scope.by}; name what you want, {scope.by}s=[...], one request each"
        if 300 <= status < 400:
            place = endpoint.host_of(location) or "another place"
            return f"a redirect to {place}, not followed: the key must not travel; check base_url"
        return ""

    def _clean(self, text: str, scope: Scope) -> str:
        """Return what a server said, without the key and phone numbers, no longer than a line or two."""
        text = self._key.cut_out(text)
        for name, value in scope.filters:
            if name == "phone_number":
                text = text.replace(value, endpoint.masked_number(value)).replace(quote(value, safe=""), "***")
        text = " ".join(endpoint.mask(text).split())
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _connections(client: Client) -> httpx.AsyncClient:
    """Return the connections; what the environment says of proxies and certificates holds, but not for loopback."""
    at_once = client.max_workers
    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(client.timeout, pool=None),
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            follow_redirects=False,  # the key must not travel to another host
            trust_env=not endpoint.is_loopback(urlsplit(client.base_url).hostname or ""),
            transport=client._transport,
            headers={"accept": "application/json", "user-agent": "call-capacity"},
        )
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as exc:
        # Not `from exc`, nor its text: it may quote the address of a proxy, and with it a password.
        raise ConfigError(_environment(exc)) from None


def _environment(problem: Exception) -> str:
    """Say which part of the environment cannot be used, and what to do."""
    names = _PROXIES
    if isinstance(problem, OSError):
        why = problem.strerror or type(problem).__name__
        names = _CERTIFICATES
        what = f"certificates that the environment names cannot be read ({why})"
    elif isinstance(problem, ImportError):
        what = "environment names a SOCKS proxy: pip install 'httpx[socks]' for it"
    else:
        what = "proxy that the environment names cannot be used: write it like http://host:port"
    given = [name for name in os.environ if name.upper() in names and os.environ[name]]
    return f"the {what}, or unset {' and '.join(given)}"
