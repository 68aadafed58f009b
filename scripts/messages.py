"""Writes docs/messages.md, the list of all messages that an operator can see, from the code.

`python -m scripts.messages` writes the page.

A message is a text of several words that code raises, logs, prints, returns as a sentence or stores as one. `…` stands
for inserted values. The list says when a module writes its messages. If a test quotes a message, the list names the
test.
"""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "messages.md"
CASES = Path(__file__).with_name("message_cases.yml")
HEAD = """# What Floorhouse says

Every message that an operator can see, by the place that says it; `…` stands for what is filled in. Parts of one
sentence stand on lines of their own. Written by `python -m scripts.messages` from the code, `scripts/message_cases.yml`
says when a place speaks. Beside a message stands the test that makes it come, where one quotes it.
"""

_ROOMS = (
    "backup",
    "floorhouse",
    "ingestion",
    "orchestration",
    "privacy",
    "publishing",
    "quality",
    "reports",
    "scripts",
    "serving",
)
# Functions whose arguments are messages.
_SAY = {"log", "print", "say", "_say", "_stop", "secho", "echo", "info", "warning", "error", "exception", "critical"}
# Names of variables and arguments that contain a sentence or a part of one.
_KEPT = re.compile(
    r"sentence|words|warning|told|said|why|doubt|seen|heard|wrong|reason|detail|hint|expected|change|_why|harm|notes|"
    r"description|message|shown|more|found|counted|dated|rules|facts|limits|unit|means|allowed",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\bselect\b|\binsert into\b|\bdelete from\b|\bcreate (?:or |temp|table|view|schema|macro)|\bupdate [\w.…]+ set\b|"
    r"\b(?:from|join) (?:raw|build|marts|intermediate|handover|warehouse)\.|\border by\b|\bcase when\b|\|\||"
    r"(?:coalesce|cast|md5|concat|list_contains|read_parquet)\(|\b(?:pragma|semi join|rowid|unpivot)\b|= ?\$|< ?\$|"
    r"\(\?|\\[sbwd.]|::|<\w+|</|\bconst\b|function\(|=>|AWS4|^Expecting property|^Unterminated|"
    r"^Invalid (?:control|\\u)|^Illegal trailing|\bnull as\b|is not null and\b|tokens\.|\breplace\(|"
    r"\bwhere (?:false|… <)|^\(?(?:event_key|… and \w+) in |^site_id, |^file = |^python -m|^import {"
)
# These modules build the report's pages, or write files.
_NO_MESSAGES = {
    "publishing/coarser.py",
    "reports/patches.py",
    "reports/content_security.py",
    "reports/screenshots.py",
    "reports/responses.py",
    "scripts/settings_pages.py",
}


def messages(places: Iterable[str]) -> dict[str, list[str]]:
    """The messages of each of these modules, in their order."""
    return {place: list(dict.fromkeys(_of_module(ROOT / place))) for place in places}


def modules_that_speak() -> list[str]:
    """Every module of the product that contains a message, as a path below the root."""
    paths = [
        path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "node_modules" not in path.parts
    ]
    places = [path.relative_to(ROOT).as_posix() for path in paths if path != Path(__file__).resolve()]
    return [place for place in places if place not in _NO_MESSAGES and next(_of_module(ROOT / place), None) is not None]


def page(cases: Mapping[str, str], with_tests: bool = True) -> str:
    """The whole page. Without the names of the tests that quote the messages, it takes a fifth of the time."""
    quotes = _Quotes() if with_tests else None
    lines = [HEAD]
    for place, found in messages(modules_that_speak()).items():
        lines += [f"## {cases[place]}", "", f"`{place}`", ""]
        lines += [f"- {_shown(text)}{quotes.case(text) if quotes else ''}" for text in found] + [""]
    return "\n".join(lines).rstrip() + "\n"


def read_cases() -> dict[str, str]:
    """When each module writes its messages, by the module's path."""
    cases: dict[str, str] = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    return cases


def _of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }
    yield from _said(tree, False, docs)


def _said(node: ast.AST, is_said: bool, docs: set[int]) -> Iterator[str]:
    """The messages below a node. `is_said`: a text at this node is a message."""
    if id(node) in docs:
        return
    text = _text(node)
    if text is not None:
        if is_said and _is_prose(text):
            yield " ".join(text.split())
        for part in _filled_in(node):  # an inserted expression can contain a part of the sentence
            yield from _said(part, is_said, docs)
        return
    if isinstance(node, (ast.Raise, ast.Return, ast.Yield)):
        is_said = True
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_said = is_said or name in _SAY or name.startswith("_")
        is_said = is_said or name.endswith(
            ("Error", "Refusal", "Rejected", "CountCheck", "Response", "Objection", "append", "failed")
        )
        if name in {"compile", "execute", "sub", "search", "match", "fullmatch", "Option", "Argument", "sql"}:
            is_said = False
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        # In a function every assigned text is a message; at the top of a module, only under the names of `_KEPT`.
        is_said = node.col_offset > 0 or any(_KEPT.search(ast.unparse(target)) for target in targets)
    elif isinstance(node, ast.keyword):
        is_said = is_said or bool(node.arg and _KEPT.search(node.arg))
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        is_said = isinstance(node, ast.Lambda) and is_said
    for child in ast.iter_child_nodes(node):
        yield from _said(child, is_said, docs)


def _text(node: ast.AST) -> str | None:
    """A literal text, with `…` for inserted values; None for all other nodes."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def _filled_in(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield part.value


def _is_prose(text: str) -> bool:
    return len(re.findall(r"[A-Za-z']{2,}", text)) >= 3 and " " in text.strip() and not _CODE.search(text)


def _shown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


class _Quotes:
    """The texts in the tests, joined into one text, with the position of each test in it."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._cases: list[str] = []
        texts: list[str] = []
        length = 0
        for path in sorted((ROOT / "tests").rglob("test_*.py")):
            place = path.relative_to(ROOT).as_posix()
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                is_test = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")
                quoted = [text for inner in ast.walk(node) if (text := _text(inner)) and " " in text]
                self._starts.append(length)
                self._cases.append(f"{place}::{node.name}" if is_test else place)  # type: ignore[attr-defined]
                texts.append("\n".join(" ".join(text.replace("\\", "").split()) for text in quoted) + "\n")
                length += len(texts[-1])
        self._text = "".join(texts)

    def case(self, message: str) -> str:
        """The first test that quotes a distinctive piece of a message."""
        pieces = sorted((piece.strip() for piece in re.split(r"…|\{[^}]*\}", message)), key=len, reverse=True)
        for piece in pieces[:2]:
            if len(piece) >= 14 and (at := self._text.find(piece.rstrip(".;:,"))) >= 0:
                return f"  \n  ({self._cases[bisect_right(self._starts, at) - 1]})"
        return ""


if __name__ == "__main__":
    PAGE.write_text(page(read_cases()), encoding="utf-8")
    sys.exit(0)
