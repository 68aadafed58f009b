"""An ASGI layer that turns away whoever may not ask, before the application behind it hears of the request.

What may be asked is decided in `known_hosts.py`; here it is only answered, for requests and for WebSockets alike.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.known_hosts import KnownHosts, Objection, objection

POLICY_VIOLATION = 1008  # RFC 6455's code for a WebSocket that is closed for such a reason


def plainly(refused: Objection) -> Response:
    """The sentence as plain text."""
    return PlainTextResponse(f"{refused.detail}\n", refused.status, {"Cache-Control": "no-store"})


class Guard:
    """Answers for `app` where a request comes by a host that is not known, or from a page of another server."""

    def __init__(self, app: ASGIApp, known: KnownHosts, refuse: Callable[[Objection], Response] = plainly) -> None:
        self.app = app
        self.known = known
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it."""
        if scope["type"] in ("http", "websocket"):
            refused = objection(scope["headers"], scope.get("method", "GET"), self.known)
            if refused is not None and scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused.reason})
                return
            if refused is not None:
                await self.refuse(refused)(scope, receive, send)
                return
        await self.app(scope, receive, send)
