"""A server of one page, on the loopback address and for those who have its secret address."""

import os
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any

from nas.errors import NasError
from nas.report.html.page import BARE_POLICY
from nas.report.live.page import LivePage

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 0.1  # that the end of the server takes at most
HEADERS = {
    "Allow": "GET",
    "Cache-Control": "no-store",
    # The page's own policy allows its scripts by their digests; a browser obeys both.
    "Content-Security-Policy": f"{BARE_POLICY}; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address is secret
    "X-Content-Type-Options": "nosniff",
}


class PageServer(ThreadingTCPServer):
    """Serves a page and its version within a `with` statement.

    A request is answered only if it is a GET of one of the two with the token in its path, and names this machine as
    the host: no other name that leads here is enough (DNS rebinding). url: the address of the page, a secret from other
    users of this machine.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port

    def __init__(self, page: LivePage, port: int = 0) -> None:
        """Take a port, a free one for 0. Raises OSError and OverflowError when that is impossible."""
        super().__init__((LOOPBACK, port), _Handler)
        port = self.server_address[1]
        path = f"/{secrets.token_urlsafe(32)}/"
        self.url = f"http://{LOOPBACK}:{port}{path}"
        self.hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        self.contents: dict[str, tuple[str, Callable[[], str]]] = {
            path: ("text/html", page.html),
            f"{path}version": ("text/plain", lambda: str(page.version)),
        }

    def __enter__(self) -> "PageServer":
        Thread(target=self.serve_forever, args=(STOP_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a traceback, unless the browser has closed the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = 120.0  # seconds that a request may take, and an answer, which may travel through a tunnel

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            return self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        for path, (kind, make) in self.server.contents.items():
            if secrets.compare_digest(path.encode(), self.path.encode()):  # its time reveals no part of the token
                return self._answer_with(kind, make)
        return self.send_error(HTTPStatus.NOT_FOUND)

    def _answer_with(self, kind: str, make: Callable[[], str]) -> None:
        try:
            text = make()
        except (NasError, OSError) as problem:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(problem))
        else:
            self._answer(HTTPStatus.OK, kind, text)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the name of the status; to the base class, any method but GET is not implemented."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._answer(status, "text/plain", status.phrase)

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        content = text.encode(errors="backslashreplace")
        headers = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(content)), **HEADERS}
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self) -> str:
        """Return the name of the server, without the versions of Python and its library."""
        return "nas"

    def log_message(self, *arguments: object) -> None:
        """Print nothing: a line would show the token."""
