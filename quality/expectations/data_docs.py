"""Writes Great Expectations' Data Docs as self-contained pages.

The library's renderer loads styles and scripts from ten servers. A plant's network and the report's security policy
block them. So only text and structure are kept: no script, external link or picture.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nh3

from ingestion.durable import write_whole

_DROPPED = {
    "script",
    "style",
    "iframe",
    "form",
    "button",
    "nav",
    "svg",
    "object",
    "noscript",
    "template",
    "title",
    "select",
}
_KEPT = {
    "div", "span", "p", "h1", "h2", "h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li",
    "strong", "em", "b", "i", "code", "pre", "br", "hr", "section", "small",
}  # fmt: skip
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2733; background: #fff; margin: 2rem auto; max-width: 70rem;
    padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
td, th { border: 1px solid #d5dbe1; padding: .35rem .6rem; text-align: left; vertical-align: top }
h1, h2, h3, h4 { line-height: 1.2 }
@media (prefers-color-scheme: dark) { body { color: #dbe3ea; background: #14191f } td, th { border-color: #3a444e } }
"""
# The pages' security policy allows only this style.
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
INDEX = "index.html"


def write_docs(folder: Path, validated: Mapping[str, Any]) -> int:
    """Write a page for each suite's result and an index page; return how many were written.

    A page is rewritten only if its result has changed, because rendering costs more than judging.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, result in sorted(validated.items()):
        result_hash = fingerprint(result)
        page = folder / f"{name}.html"
        mark = f"<!-- {result_hash} {_STYLE_HASH} -->\n"
        if page.is_file() and page.read_text(encoding="utf-8").startswith(mark):
            continue
        write_whole(page, mark + _page(f"Checks of {name}", self_contained(_rendered(result))))
        written += 1
    rows = "".join(
        f'<tr><td><a href="{html.escape(name)}.html">{html.escape(name)}</a></td>'
        f"<td>{'passed' if result.success else 'failed'}</td></tr>"
        for name, result in sorted(validated.items())
    )
    write_whole(
        folder / INDEX, _page("What was checked", f"<table><tr><th>Suite</th><th>Result</th></tr>{rows}</table>")
    )
    return written


def fingerprint(result: Any) -> str:
    """A hash of a result without the times and ids of its run."""
    plain = result.to_json_dict()
    said = {
        "success": plain["success"],
        "results": [{name: value for name, value in each.items() if name != "meta"} for each in plain["results"]],
    }
    return hashlib.sha256(json.dumps(_without_ids(said), sort_keys=True, default=str).encode()).hexdigest()[:20]


def self_contained(page: str) -> str:
    """The text and structure of an HTML page, without anything that a browser would load, run or follow as a link."""
    # All attributes are dropped, because none of them carries content.
    return nh3.clean(page, tags=_KEPT, clean_content_tags=_DROPPED, attributes={})


def _rendered(result: Any) -> str:
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    document = ValidationResultsPageRenderer().render(result)
    rendered: str = DefaultJinjaPageView().render(document)  # type: ignore[no-untyped-call]
    return rendered.partition("<body>")[2] or rendered


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(part) for name, part in value.items() if name not in ("id", "batch_id")}
    return [_without_ids(part) for part in value] if isinstance(value, list) else value


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}" />'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>\n{body}</body></html>\n"
    )
