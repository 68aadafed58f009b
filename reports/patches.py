"""Patches to the installed npm packages, each with its reason.

The shell build applies them explicitly, not an install script, because npm 11 blocks those. Runs no Node.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import ReportError


@dataclass(frozen=True)
class Patch:
    """One exact piece of text in one file below node_modules, and what replaces it."""

    file: str
    before: str
    after: str
    reason: str


_ENGINE = "@evidence-dev/universal-sql/src/client-duckdb/"
_SETTINGS = ("SET ieee_floating_point_ops = false;", "SET old_implicit_casting = true;")

_SETTINGS_PATCHES = tuple(
    Patch(
        file=_ENGINE + client,
        before=f"await connection.query('{setting}');",
        after=f"// not sent: {setting}",
        reason="The engine with Parquet built in (duckdb-wasm 1.28.0) is older than this setting and stops at it.",
    )
    for client in ("browser.js", "node.js")
    for setting in _SETTINGS
)

# Every browser since 2021 runs the engine's build with exceptions; including the other build doubles the shell's size.
_ONE_ENGINE_PATCHES = tuple(
    Patch(
        file=_ENGINE + "browser.js",
        before=f"'@duckdb/duckdb-wasm/dist/{other}'",
        after=f"'@duckdb/duckdb-wasm/dist/{kept}'",
        reason="The compiler's own way to the engine is not used by the pages and must not bring a second one along.",
    )
    for other, kept in (
        ("duckdb-mvp.wasm?url", "duckdb-eh.wasm?url"),
        ("duckdb-browser-mvp.worker.js?worker", "duckdb-browser-eh.worker.js?worker"),
    )
)

_FRAME_STYLE = """\
		'display: block; position: absolute; top: 0; left: 0; width: 100%; height: 100%; ' +
			'overflow: hidden; border: 0; opacity: 0; pointer-events: none; z-index: -1;'"""

_RESIZE_PATCH = Patch(
    file="svelte/src/runtime/internal/dom.js",
    before=f"iframe.setAttribute(\n\t\t'style',\n{_FRAME_STYLE}\n\t);",
    after=f"iframe.style.cssText =\n{_FRAME_STYLE};",
    reason="The pages' security policy takes no style that is written as an attribute; one that a script sets it does.",
)

_STYLE_PATCH = Patch(
    file="svelte/src/runtime/internal/dom.js",
    before="\telse if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);\n}",
    after="\telse if (attribute === 'style') node.style.cssText = value;\n"
    "\telse if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);\n}",
    reason="The compiler's components have styles as attributes, and the policy takes only those that a script sets.",
)

_CLASSES_PATCH = Patch(
    file="@evidence-dev/evidence/template/tailwind.config.cjs",
    before="\t\t\t\t...componentPaths\n",
    after="\t\t\t\t'../../node_modules/@evidence-dev/core-components/dist/**/*.{js,svelte}'\n",
    reason="A plant's own pages name the compiler's components, and our settings list none of them for the others.",
)

_PLACE_PATCH = Patch(
    file="@evidence-dev/sdk/src/utils/svelte/index.js",
    before="import { config } from '$evidence/config';\n"
    "/** @type {(path: string) => string} */\n"
    "export const addBasePath = (path) => _addBasePath(path, config);",
    after="import { base } from '$app/paths';\n"
    "/** @type {(path: string) => string} */\n"
    "export const addBasePath = (path) =>\n"
    "\tbase && `${path}`.startsWith(`${base}/`) ? path : _addBasePath(path, { deployment: { basePath: base } });",
    reason="Where the report lies below its host is known when it is opened, not when it is built.",
)

_HEAD_PATCHES = tuple(
    Patch(
        file=f"@evidence-dev/preprocess/dist/index.{form}",
        before=before,
        after=f"<!-- {what}: the page's own -->",
        reason="A page says itself what it is called; its maker's name and card are none of a reader's business.",
    )
    for form in ("cjs", "mjs")
    for what, before in (
        ("title", "<title>Evidence</title>"),
        ("title of its front matter", "<title>{metadata.title ?? metadata.og?.title}</title>"),
        ("card", '<meta name="twitter:card" content="summary_large_image" />'),
        ("author", '<meta name="twitter:site" content="@evidence_dev" />'),
    )
)

PATCHES: tuple[Patch, ...] = (
    *_SETTINGS_PATCHES,
    *_ONE_ENGINE_PATCHES,
    _RESIZE_PATCH,
    _STYLE_PATCH,
    _CLASSES_PATCH,
    _PLACE_PATCH,
    *_HEAD_PATCHES,
)


def apply_patches(node_modules: Path, patches: Iterable[Patch] = PATCHES) -> int:
    """Apply all patches and return how many files changed.

    Safe to repeat. Raises ReportError if a file has neither the old nor the new text: the package then has another
    version, and the pages built with it might never load.
    """
    changed: set[str] = set()
    for patch in patches:
        path = node_modules / patch.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if patch.before in text:
            path.write_text(text.replace(patch.before, patch.after), encoding="utf-8")
            changed.add(patch.file)
        elif patch.after not in text:
            raise ReportError(f"The npm file {patch.file} is not the version that reports/patches.py knows.")
    return len(changed)
