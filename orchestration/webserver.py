"""Dagster's pages behind a guard. The one place that knows how Dagster's own web server is built.

Dagster asks nobody who they are, answers by any name, and starts jobs for a question in an address (`GET`): any page
in a browser of this machine could start one. Who may ask is decided in `serving/`; mutations are taken by POST only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.guard import Guard, plainly
from serving.known_hosts import KnownHosts, Objection
from serving.listening import address_of, listen, make_server, stop_on_signals

PROJECT = Path(__file__).resolve().parents[1]
DEFINITIONS = "orchestration.definitions"
_STOP_SECONDS = 5
_BY_POST = Objection(405, "mutation_by_get", "What changes something is taken by POST only.")


class MutationsByPost:
    """Refuses a GraphQL mutation that comes in an address, where a link or a picture of any page could hold it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it."""
        if scope["type"] == "http" and scope["method"] != "POST":
            questions = QueryParams(scope["query_string"]).getlist("query")
            if any(map(changes_something, questions)):
                refusal = plainly(_BY_POST)
                refusal.headers["Allow"] = "POST"
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)


def changes_something(question: str) -> bool:
    """Whether a GraphQL document has an operation other than a query; what is none at all, Dagster refuses itself."""
    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

    try:
        parts = parse(question, no_location=True).definitions
    except GraphQLError:  # also what is nested too deeply
        return False
    return any(isinstance(part, OperationDefinitionNode) and part.operation != OperationType.QUERY for part in parts)


def serve_pages(
    home: Path, host: str, port: int, known: KnownHosts, when_ready: Callable[[str, Callable[[], None]], None]
) -> None:
    """Serve Dagster's pages until a signal comes; `when_ready` gets their address and what ends the serving.

    Raises:
        CannotListenError: the port is taken, or the host is not this machine's.
    """
    with listen(host, port) as listener:  # first: what cannot be served need not be loaded
        from dagster._core.workspace.context import WorkspaceProcessContext
        from dagster._core.workspace.load_target import ModuleTarget
        from dagster_webserver.app import create_app_from_workspace_process_context

        from orchestration.dagster_home.home import open_instance

        code = ModuleTarget(module_name=DEFINITIONS, attribute=None, working_directory=str(PROJECT), location_name=None)
        with (
            open_instance(home) as instance,
            WorkspaceProcessContext(instance, code, code_server_log_level="WARNING") as context,
        ):
            app = Guard(MutationsByPost(create_app_from_workspace_process_context(context)), known)
            server = make_server(app, _STOP_SECONDS, http="h11", ws="auto")

            def stop() -> None:
                server.should_exit = True

            stop_on_signals(stop)
            when_ready(address_of(listener, host), stop)
            server.run(sockets=[listener])
