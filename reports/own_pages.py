"""A plant's own pages: Markdown files of `<data dir>/pages/`, compiled into the shell and listed in its menu.

A page that cannot be built is named in one sentence, in the log and in its own place; the others are built. What a
page's queries ask for is judged in the browser (components/own.js), where the published marts are.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from reports.node import Node

FOLDER = "own"  # below this address of the report
CHECK = Path(__file__).with_name("own_check.mjs")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_COMPONENT = re.compile(r"<([A-Z]\w*)")
_SQL = re.compile(r"^```sql\s+\w+", re.MULTILINE)

Log = Callable[[str], None]


def own_pages(folder: Path | None) -> list[Path]:
    """The pages in a plant's folder, sorted by name, small letters before capitals."""
    found = [path for path in folder.glob("*.md") if path.is_file()] if folder else []
    return sorted(found, key=lambda page: (page.stem.lower(), page.stem.swapcase()))


def content_of(page: Path) -> bytes | None:
    """A page's bytes, or None if this process may not read them."""
    try:
        return page.read_bytes()
    except OSError:
        return None


def add_own_pages(pages: list[Path], template: Path, node: Node, log: Log) -> list[str]:
    """Copy the pages into the compiler's input, and their names into the menu; return their addresses.

    A page whose name gives no address of its own is left out, and one that does not compile is replaced by a page that
    says why; `log` gets one sentence of each.
    """
    menu: dict[str, dict[str, str]] = {}
    taken: dict[str, str] = {}  # name in small letters → file
    for page in pages:
        content = content_of(page)
        if reason := _left_out(page, content, taken):
            log(f"the page {page.name} is left out: {reason}")
            continue
        taken[page.stem.lower()] = page.name
        text = (content or b"").decode("utf-8", errors="replace")
        _place(template, page.stem, _with_components(text, template))
        menu[page.stem] = {"href": f"/{FOLDER}/{page.stem}/", "label": _title(text, page.stem), "name": page.stem}
    if not menu:  # the shell need not carry what only such pages need
        shutil.rmtree(template / "src" / "pages" / FOLDER)
    for name, reason in _wrong(template, list(menu), node).items():
        _say_why(template, name, reason, log)
    (template / "src" / "own.js").write_text(f"export default {json.dumps(list(menu.values()))};\n", encoding="utf-8")
    return [page["href"].strip("/") for page in menu.values()]


def take_out(template: Path, addresses: list[str], reason: str, log: Log) -> None:
    """Replace all the pages by a sentence each, because the shell cannot be built with them for this reason."""
    for address in addresses:
        _say_why(template, address.removeprefix(f"{FOLDER}/"), reason, log)


def _left_out(page: Path, content: bytes | None, taken: dict[str, str]) -> str | None:
    if not _NAME.fullmatch(page.stem):
        return "a page's name has letters, digits, _ and - only"
    if page.stem.lower() in taken:
        return f"its address is that of {taken[page.stem.lower()]}"
    return "it cannot be read" if content is None else None


def _say_why(template: Path, name: str, reason: str, log: Log) -> None:
    log(f"the page {name}.md cannot be shown: {reason}")
    sentence = f"The page {name}.md cannot be shown: {reason}"
    _place(template, name, f'# {name}\n\n<p role="alert">{_harmless(sentence)}</p>\n')


def _place(template: Path, name: str, text: str) -> None:
    folder = template / "src" / "pages" / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "+page.md").write_text(text, encoding="utf-8")


def _with_components(text: str, template: Path) -> str:
    """The page with imports of the compiler's components that it names."""
    used = set(_COMPONENT.findall(text)) | ({"QueryViewer"} if _SQL.search(text) else set())
    used |= {"CodeBlock"} if "```" in text else set()
    # one file each: the package's index would compile all of its components, which takes minutes
    package = template.parent.parent / "node_modules" / "@evidence-dev" / "core-components" / "dist"
    files = {file.stem: file for file in sorted(package.rglob("[A-Z]*.svelte"))}
    here = template / "src" / "pages" / FOLDER / "page"
    imports = "\n".join(
        f"import {name} from '{Path(os.path.relpath(files[name], here)).as_posix()}';"
        for name in sorted(used & set(files))
    )
    if re.search(r"<script>", text):
        return text.replace("<script>", f"<script>\n{imports}\n", 1)
    return f"{text}\n\n<script>\n{imports}\n</script>\n"


def _title(text: str, name: str) -> str:
    found = re.search(r"^title:\s*(.+)$", text, re.MULTILINE) or re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].strip().strip("\"'") if found else name


def _harmless(sentence: str) -> str:
    return html.escape(sentence).replace("{", "&lbrace;").replace("}", "&rbrace;")


def _wrong(template: Path, names: list[str], node: Node) -> dict[str, str]:
    """The pages that do not compile, and the first line of why."""
    if not names:
        return {}
    check = template / CHECK.name
    shutil.copyfile(CHECK, check)  # it finds the compiler's packages from there
    files = [template / "src" / "pages" / FOLDER / name / "+page.md" for name in names]
    process = subprocess.run(
        [node.node, check, *files], cwd=template, capture_output=True, text=True, check=False, env=node.environment({})
    )
    check.unlink()
    if process.returncode:
        reason = process.stderr.strip().splitlines()[-1:] or ["the compiler gave no reason"]
        return dict.fromkeys(names, reason[0])
    return dict(json.loads(process.stdout))
