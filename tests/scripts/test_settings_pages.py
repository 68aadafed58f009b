"""The settings' classes alone define what settings mean. The pages about settings are generated from them."""

import pytest

from ingestion.settings_sources import FrozenSettings
from scripts import settings_pages


@pytest.mark.parametrize("name", settings_pages.pages())
def test_the_page_says_of_the_settings_what_their_classes_say(name: str) -> None:
    shown = (settings_pages.ROOT / name).read_text(encoding="utf-8")
    assert shown == settings_pages.pages()[name], "run: python -m scripts.settings_pages"


@pytest.mark.parametrize("model", settings_pages.CLASSES.values())
def test_every_setting_says_in_one_sentence_what_it_means(model: type[FrozenSettings]) -> None:
    for name, field in model.model_fields.items():
        assert (field.description or "").endswith("."), name
        assert len((field.description or "").split()) > 2, name
