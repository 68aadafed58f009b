"""The Content-Security-Policy of the report's pages: a browser may only load what this server sends.

Each page contains its policy, so that any static server delivers it; inline scripts are allowed by their hashes at
build time. This module therefore counts as a source of the shell.
"""

import base64
import hashlib
import html
import re

# The engine compiles WebAssembly but evaluates no code from text.
_RULES = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "form-action": "'none'",
    "base-uri": "'self'",
}
POLICY = "; ".join(f"{name} {value}" for name, value in _RULES.items())
# Directives that are not allowed in a page's meta element.
FRAMES = "frame-ancestors 'self'"

_INLINE = re.compile(r"<(script|style)\b(?![^>]*\bsrc=)[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_META = '<meta http-equiv="Content-Security-Policy" content="{}" />'
_META_CONTENT = re.compile(re.escape(_META).replace(r"\{\}", '([^"]*)'))


def with_policy(page: str) -> str:
    """A built page with its policy as the first element of its head."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind.lower()].append(f" 'sha256-{digest}'")
    rules = {name: value + "".join(hashes.get(name.removesuffix("-src"), [])) for name, value in _RULES.items()}
    policy = "; ".join(f"{name} {value}" for name, value in rules.items())
    return page.replace("<head>", f"<head>\n\t\t{_META.format(html.escape(policy))}", 1)


def policy_in(page: str) -> str | None:
    """The policy in a page, or None."""
    found = _META_CONTENT.search(page)
    return html.unescape(found[1]) if found else None
