"""The socket that the emulator listens on, and who can reach it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable

from capacity.errors import ConfigError


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound; ConfigError where the port is taken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        raise ConfigError(f"cannot listen on {host}:{port} ({exc}); choose another port, or 0 for a free one") from exc
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL that reaches it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warn(host: str, say: Callable[[str], object]) -> None:
    """Say so where more than this machine can reach it."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        say(
            f"*** NOT ONLY THIS MACHINE: the emulator listens on {host}. Whoever reaches it and has the key reads "
            "these call records' counts, over plain HTTP. ***\n"
        )
