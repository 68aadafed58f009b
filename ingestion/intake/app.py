"""The routes and their description (OpenAPI). `service.py` handles the requests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from ingestion.intake.answers import AcceptedEvent, BatchAnswer, EventRecord, Health, Problem, Refusal
from ingestion.intake.judging import Bounds, judge_batch, judge_event
from ingestion.intake.labelling import Labelling
from ingestion.intake.service import KEY_HEADER, Intake, refuse
from ingestion.media_url import origin_of

_PAGE_FOLDER = Path(__file__).with_name("page")
_PAGE_FILES = {"page.js": "text/javascript", "page.css": "text/css"}
_LABEL_FILES = {"label.js": "text/javascript", "label.css": "text/css"}

# The browser requests nothing from other servers: on a plant's network such requests would hang.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

# The labelling page shows images of one server, that of FLOORHOUSE_MEDIA_URL, and loads nothing else from elsewhere.
_LABEL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src {images}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

_DESCRIPTION = """\
For cameras and gateways that can only POST. The data contract decides which records are accepted. Accepted records
become objects of the landing bucket, and the answer 201 or 207 means that they are durable. Refused records are named
in the answer and are not stored. Sending a record again is harmless: it gets the same id and the same answer, and
landing keeps one of them.
"""

_SENTENCES = {
    400: "The body is empty, or for a batch not a JSON array.",
    401: "The API key is missing or not known.",
    403: "The API key is for another site or camera.",
    408: "The body did not arrive in time.",
    413: "The body is too large, or the batch has too many records.",
    415: "The body has a Content-Encoding.",
    429: "Too many requests are waiting; Retry-After says how many seconds to wait.",
    503: "The bucket cannot be written; nothing was acknowledged. Retry-After says how many seconds to wait.",
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": sentence} for status, sentence in _SENTENCES.items()
}
_EVENT_REF = {"$ref": "#/components/schemas/EventRecord"}


def _page_file(name: str, known: Mapping[str, str], headers: Mapping[str, str]) -> FileResponse:
    """A file of a page; 404 for any other name."""
    if name not in known:
        raise HTTPException(404)
    return FileResponse(_PAGE_FOLDER / name, media_type=known[name], headers=headers)


def build_app(intake: Intake, labelling: Labelling, max_record_bytes: int) -> FastAPI:
    """The application of a running intake. It opens nothing itself. Landing reads records up to `max_record_bytes`."""
    app = FastAPI(
        title="Floorhouse intake", version="1", description=_DESCRIPTION, docs_url=None, redoc_url=None
    )  # FastAPI's own pages load their scripts from the internet
    bounds = Bounds(intake.settings.max_batch_records, max_record_bytes)
    judge_one, judge_list = partial(judge_event, bounds=bounds), partial(judge_batch, bounds=bounds)

    @app.post(
        "/api/events",
        summary="Send one event",
        status_code=201,
        response_class=Response,
        responses={
            201: {"model": AcceptedEvent, "description": "The event is durable in the landing bucket."},
            422: {"model": Refusal, "description": "The record breaks a rule of the contract: reason and sentence."},
            **_REFUSALS,
        },
        openapi_extra=_body_of(_EVENT_REF),
    )
    async def post_event(request: Request) -> Response:
        return await intake.answer(request, judge_one)

    @app.post(
        "/api/events/batch",
        summary="Send a list of events",
        description="Valid records are accepted even if others are refused. The answer has a result for each record.",
        status_code=201,
        response_class=Response,
        responses={
            201: {"model": BatchAnswer, "description": "All records were accepted."},
            207: {
                "model": BatchAnswer,
                "description": "Some records were accepted; the other results say why not.",
            },
            422: {"model": BatchAnswer, "description": "No record was accepted; each result says why."},
            **_REFUSALS,
            403: {"model": BatchAnswer, "description": "No record was accepted: the API key is for another site."},
        },
        openapi_extra=_body_of({"type": "array", "items": _EVENT_REF}),
    )
    async def post_batch(request: Request) -> Response:
        return await intake.answer(request, judge_list)

    @app.get(
        "/health",
        summary="Is the intake able to work?",
        responses={503: {"model": Health, "description": "The newest write did not reach the bucket."}},
    )
    async def health(response: Response) -> Health:
        answer = intake.health()
        response.status_code = 200 if answer.status == "ok" else 503
        return answer

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return FileResponse(_PAGE_FOLDER / "page.html", media_type="text/html", headers=_PAGE_HEADERS)

    @app.get("/docs/{name}", include_in_schema=False)
    async def docs_file(name: str) -> Response:
        return _page_file(name, _PAGE_FILES, _PAGE_HEADERS)

    label_headers = {
        **_PAGE_HEADERS,
        "Content-Security-Policy": _LABEL_POLICY.format(images=origin_of(labelling.template) or "'none'"),
    }

    @app.get("/label", include_in_schema=False)
    async def label_page() -> Response:
        return FileResponse(_PAGE_FOLDER / "label.html", media_type="text/html", headers=label_headers)

    @app.get("/label/{name}", include_in_schema=False)
    async def label_file(name: str) -> Response:
        return _page_file(name, _LABEL_FILES, label_headers)

    @app.get("/api/labels", include_in_schema=False)
    async def get_labels(request: Request) -> Response:
        return await labelling.waiting(request)

    @app.post("/api/labels", include_in_schema=False)
    async def post_label(request: Request) -> Response:
        return await labelling.label(request)

    @app.exception_handler(HTTPException)
    async def other_answers(request: Request, error: HTTPException) -> Response:
        reason = error.detail.lower().replace(" ", "_")
        detail = f"{request.method} {request.url.path} is not answered here; /docs says what is."
        answer = refuse(Problem(error.status_code, reason, detail))
        answer.headers.update(error.headers or {})
        return answer

    app.openapi = partial(_describe, app, bool(intake.keys.senders))  # type: ignore[method-assign]
    return app


def _body_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The description of the body. FastAPI does not parse the body, because its bytes are judged."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _describe(app: FastAPI, with_keys: bool) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        document["components"]["schemas"]["EventRecord"] = EventRecord.model_json_schema()
        if with_keys:
            document["components"]["securitySchemes"] = {
                "ApiKey": {"type": "apiKey", "in": "header", "name": KEY_HEADER}
            }
            for path in ("/api/events", "/api/events/batch"):
                document["paths"][path]["post"]["security"] = [{"ApiKey": []}]
        app.openapi_schema = document
    return app.openapi_schema
