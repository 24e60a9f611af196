"""Writes the emoji that the agents' page offers, with their names in each of its languages, and Slack's names.

`scripts/vendor.sh` calls this with the folder in which the packages lie. Which emoji there are, in which order and
group, is from `unicode-emoji-json`; names and words by which they are found are Unicode's own (CLDR). Slack's names
are those of `emoji-datasource`, which is made for it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "inbox" / "page" / "vendor"
SLACK = ROOT / "normalizer" / "slack" / "emoji.txt"
LANGUAGES = ("en", "tr")
DRAWN = 15.1  # the version of Emoji (2023) that devices draw by now; a newer one is a box to whoever gets it
TYPES = "declare const groups: [string, [string, string, string][]][];\nexport default groups;\n"
VARIANT = "\ufe0f"  # asks for the coloured form; CLDR's keys are without it


def written(packages: Path, language: str) -> str:
    """A module: `[group, [emoji, name, further words][]][]`."""
    known = {
        **_annotations(packages / f"cldr-annotations-derived-full/annotationsDerived/{language}"),
        **_annotations(packages / f"cldr-annotations-full/annotations/{language}"),
    }
    groups = json.loads((packages / "unicode-emoji-json/data-by-group.json").read_text())
    table = [
        [group["slug"], [_entry(one["emoji"], known) for one in group["emojis"] if _drawn(one)]] for group in groups
    ]
    return f"export default {json.dumps(table, ensure_ascii=False, separators=(',', ':'))};\n"


def _annotations(folder: Path) -> dict[str, Any]:
    (found,) = json.loads((folder / "annotations.json").read_text()).values()
    annotations: dict[str, Any] = found["annotations"]
    return annotations


def _drawn(one: dict[str, str]) -> bool:
    return float(one["emoji_version"]) <= DRAWN


def _entry(emoji: str, known: dict[str, Any]) -> list[str]:
    found = known[emoji.replace(VARIANT, "")]
    name = found["tts"][0]
    return [emoji, name, " ".join(word for word in found.get("default", []) if word != name)]


def slack_names(packages: Path) -> str:
    """A line for each emoji: it, the name that Slack gives it, and others that Slack understands."""
    found = json.loads((packages / "emoji-datasource/emoji.json").read_text())
    lines = (f"{_character(one['unified'])} {' '.join(one['short_names'])}\n" for one in found)
    return "".join(sorted(lines))


def _character(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split("-"))


if __name__ == "__main__":
    SLACK.write_text(slack_names(Path(sys.argv[1])), "utf-8")
    for language in LANGUAGES:
        (VENDOR / f"emoji.{language}.js").write_text(written(Path(sys.argv[1]), language))
        (VENDOR / f"emoji.{language}.d.ts").write_text(TYPES)
