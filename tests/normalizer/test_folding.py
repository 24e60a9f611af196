"""Folding: what finds each other, whatever the keyboard had, and where it stands in the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.excerpt import LENGTH, Finder
from normalizer.folding import TEXT_LENGTH, WORD_LENGTH, WORDS, Term, fold, terms, tokens

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
TURKISH = st.text(alphabet="abcçdefgğhıijklmnoöprsştuüvyzâîûABCÇDEFGĞHIİJKLMNOÖPRSŞTUÜVYZÂÎÛ", min_size=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İSTANBUL", "istanbul"),
        ("ISTANBUL", "\u0131stanbul"),
        ("I\u0307stanbul", "istanbul"),
        ("ŞİKÂYET", "sikayet"),
        ("şikayet", "S\u0327I\u0307KA\u0302YET"),
        ("SİPARİŞ", "SIPARIS"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("ﬁle", "FILE"),
        ("Ｆｕｌｌ", "full"),
    ],
)
def test_these_are_one_word(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert tokens(one) == tokens(other)


@given(TEXTS)
def test_what_is_folded_stays(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS, TEXTS)
def test_each_character_is_folded_by_itself(one: str, other: str) -> None:
    assert fold(one + other) == fold(one) + fold(other)


@given(TURKISH)
def test_a_turkish_word_is_found_by_each_of_its_cases(word: str) -> None:
    capitals = word.replace("i", "İ").replace("\u0131", "I").upper()
    small = word.replace("I", "\u0131").replace("İ", "i").lower()
    assert tokens(capitals) == tokens(small) == tokens(word)


@given(TEXTS)
def test_words_are_few_short_and_folded(text: str) -> None:
    found = tokens(text * 50)
    assert len(found) <= WORDS
    assert len(set(found)) == len(found)
    assert all(0 < len(word) <= WORD_LENGTH and fold(word) == word for word in found)


@given(TEXTS)
def test_a_text_is_found_by_each_of_its_words(text: str) -> None:
    found = tokens(text[:50])
    for word, begins in terms(text[:50]):
        assert any(one.startswith(word) if begins else one == word for one in found)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("write to Ada.Byron+shop@mail.example.com!", "ada.byron+shop@mail.example.com"),
        ("write to Ada.Byron+shop@mail.example.com!", "ada.byron"),
        ("write to Ada.Byron+shop@mail.example.com!", "mail.example.com"),
        ("write to Ada.Byron+shop@mail.example.com!", "EXAMPLE.com"),
        ("order TR-2026-1234, please", "tr-2026-1234"),
        ("order TR-2026-1234, please", "2026-1234"),
        ("order TR-2026-1234, please", "1234"),
        ("order TR-2026-1234, please", "tr"),
        ("order TR-2026-1234, please", "tr-20"),
        ("İstanbul'dan geldi", "istanbul"),
        ("snake_case_name", "case"),
        ("fatura_2026.pdf", "fatura"),
    ],
)
def test_addresses_and_numbers_are_found_by_their_parts(text: str, query: str) -> None:
    (term,) = terms(query)
    assert any(word.startswith(term.word) for word in tokens(text))
    assert Finder([term]).best([text]) is not None


def test_short_words_are_no_beginnings_but_for_the_last() -> None:
    assert terms("ve bir ve İs") == [Term("ve", begins=False), Term("bir", begins=True), Term("is", begins=True)]
    assert terms(" \0 !?… 🎉 \u0301") == []


def test_a_long_text_is_searched_from_its_beginning() -> None:
    assert tokens("x" * 1_000) == ["x" * WORD_LENGTH]
    assert tokens(" " * TEXT_LENGTH + "late") == []
    assert len(tokens(" ".join(map(str, range(10_000))))) == WORDS
    assert len(tokens(".".join("a" * 10_000))) < WORDS


def marked(text: str, query: str) -> tuple[str, list[str]]:
    found = Finder(terms(query)).best([text])
    assert found is not None
    units = found.text.encode("utf-16-le")
    return found.text, [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in found.ranges]


@pytest.mark.parametrize(
    ("text", "query", "words"),
    [
        ("🎉 İSTANBUL'dan ŞİKÂYET", "sikayet istan", ["İSTAN", "ŞİKÂYET"]),
        ("S\u0327I\u0307KA\u0302YET\u0301 var", "sikayet", ["S\u0327I\u0307KA\u0302YET\u0301"]),
        ("Straße", "stras", ["Straß"]),
        ("ada@example.com", "example", ["example"]),
        ("ve veya ve", "ve bir", ["ve", "ve"]),
        ("başım kaş", "as kas", ["kaş"]),
    ],
)
def test_what_is_found_is_marked_as_it_was_written(text: str, query: str, words: list[str]) -> None:
    assert marked(text, query) == (text, words)


def test_an_excerpt_is_one_line_around_the_first_word() -> None:
    text = "önce " * 50 + "\nİade\tistiyorum " + "sonra " * 50
    shown, words = marked(text, "iade")
    assert words == ["İade"]
    assert shown.startswith("…önce")
    assert shown.endswith("…")
    assert "\n" not in shown
    assert len(shown) <= LENGTH + 2


def test_of_several_texts_the_one_with_most_words_is_shown() -> None:
    finder = Finder(terms("red lamp"))
    found = finder.best(["a lamp, a lamp, a lamp", "a red lamp", "red lamp"])
    assert found is not None
    assert (found.text, found.ranges) == ("a red lamp", ((2, 5), (6, 10)))
    assert finder.best(["nothing", ""]) is None


@given(TEXTS, TEXTS)
def test_ranges_lie_within_the_excerpt_in_order(text: str, query: str) -> None:
    looked_for = terms(query)
    found = Finder(looked_for).best([text]) if looked_for else None
    if found is not None:
        edges = [edge for one in found.ranges for edge in one]
        assert edges == sorted(edges)
        assert all(0 <= edge <= len(found.text.encode("utf-16-le")) // 2 for edge in edges)


@given(TEXTS)
def test_whatever_is_a_word_of_a_text_is_marked_in_it(text: str) -> None:
    looked_for = terms(text[:50])
    if looked_for:
        found = Finder(looked_for).best([text])
        assert found is not None
        assert found.ranges
