"""What a browser may do on the report's pages (Content-Security-Policy): nothing but to show what this server sends.

A page carries its policy in itself, so that any static server sends it along; scripts that stand in the page itself
are named by their hashes when it is built. So this module counts as a source of the shell.
"""

import base64
import hashlib
import html
import re

# The engine compiles WebAssembly, and runs nothing that is made from text.
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
# What a page cannot say of itself.
FRAMES = "frame-ancestors 'self'"

_INLINE = re.compile(r"<(script|style)\b(?![^>]*\bsrc=)[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_META = '<meta http-equiv="Content-Security-Policy" content="{}" />'
_META_CONTENT = re.compile(re.escape(_META).replace(r"\{\}", '([^"]*)'))


def with_policy(page: str) -> str:
    """A page as it was built, with its policy as the first word of its head."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind.lower()].append(f" 'sha256-{digest}'")
    rules = {name: value + "".join(hashes.get(name.removesuffix("-src"), [])) for name, value in _RULES.items()}
    policy = "; ".join(f"{name} {value}" for name, value in rules.items())
    return page.replace("<head>", f"<head>\n\t\t{_META.format(html.escape(policy))}", 1)


def policy_in(page: str) -> str | None:
    """The policy that a page carries, None where it has none."""
    found = _META_CONTENT.search(page)
    return html.unescape(found[1]) if found else None
