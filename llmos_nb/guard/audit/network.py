"""Acts on the network: fetching is free, sending and raw connections ask. Addresses of this machine are no network."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from types import FrameType
from typing import Any, Final

from llmos_nb.guard.audit.callers import called_from, is_direct
from llmos_nb.guard.audit.watch import Watch
from llmos_nb.guard.paths import zone_of
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict

__all__ = ["NETWORK"]

#: Who speaks HTTP: what it sends is judged as a request, not as a connection.
_HTTP: Final = ("http/client.py", "urllib", "requests", "httpx", "httpcore", "aiohttp", "/asyncio/", "ssl.py")
_SENDING: Final = (b"POST ", b"PUT ", b"PATCH ", b"DELETE ")


def _is_local(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if not isinstance(host, str) or not host:
        return False
    if host.rstrip(".").lower() in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _host(address: object) -> object:
    return address[0] if isinstance(address, tuple) and address else address


def _connect(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    address = arguments[1] if len(arguments) > 1 else None
    if isinstance(address, str | bytes):
        return _unix(watch, os.fsdecode(address), frame)
    if address is None or _is_local(_host(address)):
        return None
    if not is_direct(frame) or called_from(frame, _HTTP):
        return None
    return hit("py-network", f"a connection to {_host(address)}")


def _unix(watch: Watch, name: str, frame: FrameType) -> Verdict | None:
    if not name or name.startswith("\0"):
        return None
    zone = zone_of(Path(os.path.realpath(name)), workspace=watch.workspace, roots=watch.roots)
    return None if zone in ("inside", "scratch") or not is_direct(frame) else hit("py-network", f"the socket {name}")


def _bind(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    address = arguments[1] if len(arguments) > 1 else None
    if not isinstance(address, tuple) or _is_local(_host(address)) or not is_direct(frame):
        return None
    if len(address) > 1 and address[1] == 0:
        return None  # a client's own end
    return hit("py-network", f"listening at {_host(address) or 'every address'}")


def _send(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``http.client.send(connection, data)``: the first piece of a request says what it is."""
    connection, data = (*arguments, None, None)[:2]
    if not isinstance(data, bytes | bytearray) or not bytes(data[:8]).startswith(_SENDING):
        return None
    host = getattr(connection, "host", "")
    if _is_local(host):
        return None
    return hit("py-network", f"{bytes(data[:8]).split()[0].decode()} to {host}")


def _request(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``urllib.Request(url, data, headers, method)``."""
    url, data, _, method = (*arguments, None, None, None, None)[:4]
    if data is None and (method or "GET") in ("GET", "HEAD", "OPTIONS"):
        return None
    from urllib.parse import urlsplit

    return None if _is_local(urlsplit(str(url)).hostname) else hit("py-network", f"data to {url}")


def _other(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """Mail, file transfer and remote shells, ``(self, host, port)``."""
    host = arguments[1] if len(arguments) > 1 else ""
    return None if _is_local(host) else hit("py-network", f"a connection to {host}")


def _transfer(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    command = str(arguments[1] if len(arguments) > 1 else "")
    changes = command[:4].upper() in ("STOR", "APPE", "STOU", "DELE", "RNFR", "RNTO", "MKD ", "RMD ", "SITE")
    return hit("py-network", command) if changes and not _is_local(getattr(arguments[0], "host", "")) else None


def _browser(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    from urllib.parse import urlsplit

    url = urlsplit(str(arguments[0]))
    ours = url.scheme in ("", "file") or _is_local(url.hostname)
    return None if ours else hit("py-network", f"a browser at {arguments[0]}")


NETWORK: Final = {
    "ftplib.sendcmd": _transfer,
    "http.client.send": _send,
    "imaplib.open": _other,
    "nntplib.connect": _other,
    "poplib.connect": _other,
    "smtplib.connect": _other,
    "socket.bind": _bind,
    "socket.connect": _connect,
    "socket.sendmsg": _connect,
    "socket.sendto": _connect,
    "telnetlib.Telnet.open": _other,
    "urllib.Request": _request,
    "webbrowser.open": _browser,
}
