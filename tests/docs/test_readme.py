"""The README has its Turkish beside it, section by section, and nothing that the documentation points to is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import load
from inbox import welcome

ROOT = Path(__file__).parents[2]
ENGLISH, TURKISH = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.tr.md"))
PAGES = [ROOT / "README.md", ROOT / "README.tr.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LARGEST = 230 * 1024


def without_blocks(text: str) -> str:
    return BLOCK.sub("", text)


def headings(text: str) -> list[str]:
    return [line.partition(" ")[0] for line in without_blocks(text).splitlines() if line.startswith("#")]


def code(text: str) -> list[str]:
    """The code blocks, without what stands behind a `#`: that is said in each language."""
    return [re.sub(r"[ ]+# .*", "", block) for block in BLOCK.findall(text)]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", without_blocks(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_turkish_has_the_same_sections_and_the_same_code() -> None:
    assert headings(TURKISH) == headings(ENGLISH)
    assert code(TURKISH) == code(ENGLISH)


@pytest.mark.parametrize("mark", [r"^\| (?:`[^`]+`|[\w, -]+) \|", r"^- "])
def test_the_turkish_has_the_same_rows_and_points(mark: str) -> None:
    counted = [len(re.findall(mark, without_blocks(text), re.MULTILINE)) for text in (ENGLISH, TURKISH)]
    assert counted[0] == counted[1]


def test_each_leads_to_the_other() -> None:
    assert "(README.tr.md)" in "".join(ENGLISH.splitlines()[:4])
    assert "(README.md)" in "".join(TURKISH.splitlines()[:4])


def test_both_show_the_screen_that_there_is() -> None:
    screen = welcome.screen(load(None), "TOKEN", "PASSWORD").strip()
    for text in (ENGLISH, TURKISH):
        (shown,) = (block for block in BLOCK.findall(text) if "Santral runs. Open" in block)
        shown = re.sub(r"(?m)^(  password  ).*", r"\1PASSWORD", shown)
        shown = re.sub(r"santral_\w+", "TOKEN", shown)
        there = re.sub(
            r"(?m)^Everything is kept in .*?\. ", "Everything is kept in /home/ada/santral/santral-data. ", screen
        )
        assert shown.removeprefix("```text\n").removesuffix("\n```") == there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = without_blocks(page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if re.match(r"\w+:", target) or "…" in target:
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), target


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert len(pictures) > 5
    assert [one.name for one in pictures if one.stat().st_size > LARGEST] == []
