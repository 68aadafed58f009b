"""Every message is in one list, under the case in which it appears."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import messages

CASE = re.compile(r" {2}\((tests/[\w/]+\.py)(?:::(\w+))?\)")


def test_every_module_that_speaks_has_its_case_in_words() -> None:
    speak = set(messages.modules_that_speak())
    assert sorted(speak - messages.read_cases().keys()) == []
    assert sorted(messages.read_cases().keys() - speak) == []


def test_the_list_holds_every_message_as_the_code_says_it() -> None:
    listed, said = (
        [line.rstrip() for line in text.splitlines() if not CASE.fullmatch(line)]
        for text in (messages.PAGE.read_text(encoding="utf-8"), messages.page(messages.read_cases(), with_tests=False))
    )
    assert listed == said, "read the messages that are new or changed, then run: python -m scripts.messages"


def test_every_test_that_the_list_names_exists() -> None:
    named = CASE.findall(messages.PAGE.read_text(encoding="utf-8"))
    assert len(named) > 150
    for file, name in named:
        assert f"def {name}(" in (messages.ROOT / file).read_text(encoding="utf-8") if name else True, (file, name)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise BucketError(f"The folder {name} cannot be read.")', ["The folder … cannot be read."]),
        ('log("the next batch " f"lands {count} more")', ["the next batch lands … more"]),
        ('def why():\n    return "the warehouse is gone" if gone else "it cannot be opened"', 2),
        ("sentence = f\"It fell silent{' and is closed today' if closed else ''}.\"", 2),
        ('connection.execute("select a from marts.sites where b")', []),
        ('def told():\n    """Say what was said to somebody."""', []),
        ('name = "a text that nobody is shown"', []),
    ],
)
def test_a_message_is_what_is_raised_logged_given_back_or_kept_as_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, found: list[str] | int
) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(code)
    [said] = messages.messages(["module.py"]).values()
    assert said == found if isinstance(found, list) else len(said) == found
