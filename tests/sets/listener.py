"""What an attacker would receive: a server on loopback that takes whatever comes, over TCP and UDP, and keeps it.

Run as a program it prints its two ports and writes what it was sent to the file that it is given. It answers anything
that looks like a request for ``/page`` with the text in the file ``page`` beside that.
"""

from __future__ import annotations

import contextlib
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any


def serve(kept: Path) -> None:
    page, lock = kept.with_name("page"), threading.Lock()

    def keep(data: bytes) -> None:
        with lock, kept.open("ab") as file:
            file.write(data + b"\n")

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(0.4)
            data = b""
            with contextlib.suppress(OSError):
                while len(data) < 100_000:
                    piece = self.request.recv(65536)
                    if not piece:
                        break
                    data += piece
                    keep(b"page" if data.startswith((b"GET /page", b"HEAD /page")) else piece)
                    if b"\r\n\r\n" in data and data.startswith((b"GET", b"HEAD")):
                        break
            asks = data.startswith((b"GET /page", b"HEAD /page"))
            body = page.read_bytes() if asks and page.exists() else b"ok"
            with contextlib.suppress(OSError):
                self.request.sendall(
                    b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                )

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            keep(self.request[0])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    servers: list[Any] = [Server(("127.0.0.1", 0), Tcp), socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*(server.server_address[1] for server in servers), flush=True)
    sys.stdin.read()  # until whoever started it is gone


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
