"""HTML that strangers wrote: made harmless to show, and made readable as text.

The parsers below take time that is quadratic in the nesting of elements and blow up an ampersand to five times its size
(both measured), so both are bounded before they run: what is over a bound is refused here and shown as text.
"""

# ruff: noqa: SIM905  (a list of words is read best as prose)

from __future__ import annotations

import re

import nh3
from resiliparse.extract.html2text import extract_plain_text

from normalizer.text import tidy

MAX_SIZE = 1_000_000  # characters
MAX_RESULT = 1_500_000  # characters: a document of the database holds it beside the text
MAX_DEPTH = 2_000  # elements inside one another: half a second at the very worst
_MAX_AMPERSANDS = 100_000

_TAGS = frozenset(
    "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav "
    "ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time "
    "tr tt u ul var wbr".split()
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"align", "bgcolor", "color", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "blockquote": {"type"},
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"face", "size"},
    "img": {"alt", "src"},
    "li": {"value"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# Nothing that loads, overlays the page or leaves its place: no background images, no position, no z-index.
_STYLES = frozenset(
    "background-color border border-bottom border-collapse border-color border-left border-radius border-right "
    "border-spacing border-style border-top border-width color direction font font-family font-size font-style "
    "font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left "
    "margin-right margin-top max-width min-width padding padding-bottom padding-left padding-right padding-top "
    "text-align text-decoration text-indent text-transform vertical-align white-space width word-break "
    "word-wrap".split()
)
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_DROPPED_WITH_CONTENT = {"script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg", "math"}

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)")
# As nh3 writes them: every value in double quotes, and no such quote inside.
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_QUOTE_TAG = re.compile(r"<(/?)blockquote\b([^>]*+)>", re.IGNORECASE)
_MAIL_QUOTE = re.compile(r"cite|gmail_quote|yahoo|moz", re.IGNORECASE)
_OPEN, _CLOSE, _REMOTE = "\ue0f0", "\ue0f1", "\ue0f2"  # private use: never in a mail, but for one that means harm
_BLANKS = re.compile(r"\n{3,}")


class TooComplexError(ValueError):
    """The HTML is over a bound: it is to be shown as text."""


def sanitize(html: str, *, load_images: bool = False) -> str:
    """HTML that can be shown inside a page: it runs nothing, loads nothing, and its links tell nobody where they are.

    Remote images wait in `data-src` for a reader who asks for them; `src="cid:…"` names an attachment's `content_id`.

    Args:
        html: from anybody.
        load_images: remote images stay as they are: for what our own agents write.

    Raises:
        TooComplexError: too large, or nested too deep.
    """
    check(html)
    clean = _CLEANER.clean(html.replace(_REMOTE, ""))
    clean = clean.replace(f'src="cid:{_REMOTE}', 'src="' if load_images else 'data-src="')
    # Each `<a>` grows by its `rel`, each `&` into an entity.
    if len(clean) > MAX_RESULT:
        raise TooComplexError("larger than can be shown as HTML")
    return clean


def to_text(html: str) -> str:
    """What a reader would see. Quoted lines begin with `> `; over a bound, tags are just cut out."""
    try:
        check(html)
    except TooComplexError:
        return tidy(_without_tags(html[:MAX_SIZE]))
    quoted = "<blockquote" in html.lower()
    if quoted:
        html = _marked(html.replace(_OPEN, "").replace(_CLOSE, ""))
    text = extract_plain_text(html, preserve_formatting=True, alt_texts=False)
    if not text.strip():
        text = extract_plain_text(html, preserve_formatting=True, alt_texts=True)
    text = tidy(text).replace("\xa0", " ")
    text = _quoted_lines(text) if quoted else text
    return _BLANKS.sub("\n\n", text).strip("\n")


def check(html: str) -> None:
    """Refuses in linear time what the parsers need too long for.

    Raises:
        TooComplexError: larger than `MAX_SIZE`, or nested deeper than `MAX_DEPTH`.
    """
    if len(html) > MAX_SIZE or html.count("&") > _MAX_AMPERSANDS:
        raise TooComplexError("larger than can be shown as HTML")
    # Cheap first: most mails have fewer tags in all than the depth that is allowed.
    if html.count("<") > MAX_DEPTH and _depth(html) > MAX_DEPTH:
        raise TooComplexError("nested too deep to be shown as HTML")


def _depth(html: str) -> int:
    """An upper bound of the nesting: an end tag closes something only where an element of that name is open."""
    still_open: dict[str, int] = {}
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        tag = name.lower()
        if tag in _VOID:
            continue
        if not closing:
            still_open[tag] = still_open.get(tag, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
        elif still_open.get(tag):
            still_open[tag] -= 1
            depth -= 1
    return deepest


def _attribute(_tag: str, name: str, value: str) -> str | None:
    if name == "style":
        # The filter of properties looks at names alone: values may still load (`url()`) or hide what they are.
        lowered = value.lower()
        return None if "(" in lowered and ("url" in lowered or "expression" in lowered or "\\" in lowered) else value
    if name == "src" and not value.strip().lower().startswith("cid:"):
        return f"cid:{_REMOTE}{value.strip()}"  # under a scheme that passes, until it is renamed
    return value


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    link_rel="noopener noreferrer nofollow",
    url_schemes=_SCHEMES,
    url_relative="deny",
    filter_style_properties=set(_STYLES),
)


def _marked(html: str) -> str:
    """Puts marks around the quotes of mail programs; other block quotes are just indented text."""
    marks: list[bool] = []

    def mark(tag: re.Match[str]) -> str:
        if not tag[1]:
            marks.append(bool(_MAIL_QUOTE.search(tag[2])))
            return f"{tag[0]}<div>{_OPEN}</div>" if marks[-1] else tag[0]
        return f"<div>{_CLOSE}</div>{tag[0]}" if marks and marks.pop() else tag[0]

    return _QUOTE_TAG.sub(mark, html)


def _quoted_lines(text: str) -> str:
    depth, lines = 0, []
    for line in text.split("\n"):
        bare = line.replace(_OPEN, "").replace(_CLOSE, "")
        depth += line.count(_OPEN)
        if bare.strip() or bare == line:
            lines.append("> " * depth + bare if depth else bare)
        depth = max(0, depth - line.count(_CLOSE))
    return "\n".join(lines)


def _without_tags(html: str) -> str:
    return re.sub(r"<[^<>]*+>", " ", html)
