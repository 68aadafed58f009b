"""Dagster's pages behind a guard. The only module that knows how Dagster's own web server is built.

Dagster does not authenticate anybody, answers to any host name, and starts jobs by `GET` too: any page in a browser of
this machine could start one. `serving/` decides who may ask. Mutations are accepted by POST only.
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
    """Refuses a GraphQL mutation in the query of a URL, which a link or an image on any page could contain."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "http" and scope["method"] != "POST":
            questions = QueryParams(scope["query_string"]).getlist("query")
            if any(map(changes_something, questions)):
                refusal = plainly(_BY_POST)
                refusal.headers["Allow"] = "POST"
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)


def changes_something(question: str) -> bool:
    """Whether a GraphQL document has an operation that is not a query. Dagster itself refuses what is not GraphQL."""
    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

    try:
        parts = parse(question, no_location=True).definitions
    except GraphQLError:  # also raised for deep nesting
        return False
    return any(isinstance(part, OperationDefinitionNode) and part.operation != OperationType.QUERY for part in parts)


def serve_pages(
    home: Path, host: str, port: int, known: KnownHosts, when_ready: Callable[[str, Callable[[], None]], None]
) -> None:
    """Serve Dagster's pages until a signal comes. `when_ready` receives their address and a function to stop.

    Raises:
        CannotListenError: the port is taken, or the host is not this machine's.
    """
    with listen(host, port) as listener:  # first, so that nothing is loaded if the port is taken
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
