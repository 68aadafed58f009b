"""An ASGI layer that refuses requests for unknown hosts, or from other servers' pages, before the application.

`known_hosts.py` decides. This module only answers, for both requests and WebSockets.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.known_hosts import KnownHosts, Objection, objection

POLICY_VIOLATION = 1008  # RFC 6455's code for a policy violation


def plainly(refused: Objection) -> Response:
    """The refusal's sentence as a response in plain text."""
    return PlainTextResponse(f"{refused.detail}\n", refused.status, {"Cache-Control": "no-store"})


class Guard:
    """Answers instead of `app` if a request names an unknown host or comes from another server's page."""

    def __init__(self, app: ASGIApp, known: KnownHosts, refuse: Callable[[Objection], Response] = plainly) -> None:
        self.app = app
        self.known = known
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it to the application (the ASGI interface)."""
        if scope["type"] in ("http", "websocket"):
            refused = objection(scope["headers"], scope.get("method", "GET"), self.known)
            if refused is not None and scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused.reason})
                return
            if refused is not None:
                await self.refuse(refused)(scope, receive, send)
                return
        await self.app(scope, receive, send)
