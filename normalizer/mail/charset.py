"""Bytes to text, whatever charset carried them and whatever they claim.

The claim is believed last. Bytes that are valid UTF-8 *are* UTF-8 (hardly any text in a single-byte charset is valid by
accident), mail programs say `iso-8859-1` when they mean windows-1252, and Turkish ones say it when they mean
windows-1254. Nothing here raises.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases

from normalizer.effort import takes_long

# Names that Python does not know, or knows as a narrower charset than what mail programs mean by them.
_MEANT = {
    "ascii": "cp1252",
    "latin_1": "cp1252",
    "iso8859_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "iso8859_8_i": "cp1255",
    "iso_8859_8_i": "cp1255",
    "windows_874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "big5": "cp950",
    "x_mac_roman": "mac_roman",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
}
_KNOWN = frozenset(aliases.values()) - {
    # No charsets of mails, and slow or dangerous on hostile input.
    *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "mbcs", "oem"),
    *("punycode", "idna", "unicode_escape", "raw_unicode_escape"),
}
_SEVEN_BIT = ("iso2022", "hz", "utf_7", "utf_16", "utf_32")  # ASCII bytes are not ASCII letters there
_MULTIBYTE = ("cp932", "cp949", "cp950", "gb18030", "big5", "euc", "johab", "shift")
# What a guess is believed to be; any other answer is one of the western charsets, which are told apart below.
_GUESSED = frozenset(
    {"cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp1253", "iso8859_7", "cp1255", "cp1256", "cp874", "cp932", "cp949"}
    | {"cp950", "gb18030", "euc_jp", "shift_jisx0213", "big5hkscs", "iso2022_jp"}
)
_TURKISH_AS_WESTERN = re.compile("[ÐÝÞðýþ]")
_NOT_TURKISH = re.compile("[æÆøØåÅãÃõÕñÑáÁíÍóÓúÚ]")
_WESTERN_TO_TURKISH = str.maketrans("ÐÝÞðýþ", "ĞİŞğış")
_META_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_SAMPLE = 4096
_BROKEN_SHARE = 5  # a text in UTF-8 may have one broken character in so many


def decode(data: bytes, declared: str = "") -> str:
    """The text of `data`, which says of itself that its charset is `declared` (empty where it says nothing)."""
    codec = codec_of(declared)
    if codec.startswith(_SEVEN_BIT):
        return data.decode(codec, "replace")
    if data.isascii():
        return data.decode("iso2022_jp" if b"\x1b$" in data else "ascii", "replace")
    if codec.startswith(_MULTIBYTE):
        text = _strict(data, codec)
        if text is not None:
            return text
    text = _strict(data, "utf-8-sig")
    if text is None and codec and codec != "utf_8":
        text = _strict(data, codec)
        text = turkish(text) if text is not None and codec == "cp1252" else text
    return text if text is not None else _damaged(data, codec)


def decode_html(data: bytes, declared: str = "") -> str:
    """As `decode`; a page that declares nothing outside may do so in its own `meta`."""
    if not codec_of(declared) and (found := _META_CHARSET.search(data, 0, 2048)):
        declared = found[1].decode("ascii", "replace")
    return decode(data, declared)


def codec_of(name: str) -> str:
    """Python's codec for a charset's name; empty for an unknown one.

    Only known names reach Python's own registry: it imports modules by name and remembers every miss for good.
    """
    plain = name[:64].lower().replace("-", "_")
    if not plain.isidentifier():
        plain = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    codec = plain if plain in _KNOWN else aliases.get(plain, "")
    codec = _MEANT.get(codec or plain, codec)
    return codec if codec in _KNOWN else ""


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def turkish(text: str) -> str:
    """Turkish labelled western shows Icelandic letters, and none of those that Icelandic cannot do without."""
    if _TURKISH_AS_WESTERN.search(text) and not _NOT_TURKISH.search(text):
        return text.translate(_WESTERN_TO_TURKISH)
    return text


def _damaged(data: bytes, codec: str) -> str:
    """Neither UTF-8 nor what was declared: UTF-8 with a few broken characters, else a guess from a sample."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text[:_SAMPLE]) - text.count("\ufffd", 0, _SAMPLE)
    if broken and broken * _BROKEN_SHARE <= whole:
        return text
    guess = _guess(data)
    if guess in _GUESSED:
        return data.decode(guess, "replace")
    return turkish(data.decode("cp1254" if codec == "cp1254" else "cp1252", "replace"))


def _guess(data: bytes) -> str:
    takes_long()  # its tables take a tenth of a second and 40 MB, and hardly any mail needs them
    import chardet  # noqa: PLC0415

    lines = b"\n".join([line for line in data[: 16 * _SAMPLE].split(b"\n") if not line.isascii()])
    return codec_of(chardet.detect(lines[:_SAMPLE])["encoding"] or "")
