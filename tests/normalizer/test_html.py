"""HTML of strangers: harmless when shown, readable as text, bounded in time."""

import pytest

from normalizer.html import TooComplexError, sanitize, to_text


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<script>alert(1)</script>a", "a"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<p onclick="alert(1)" style="position:fixed;color:red">a</p>', '<p style="color:red">a</p>'),
        ('<p style="background-color:url(https://example.com/x)">a</p>', "<p>a</p>"),
        ("<form action=/x><input name=a><button>Go</button></form>", "Go"),
        ("<svg><script>alert(1)</script></svg>a", "a"),
        ('<iframe src="https://example.com"></iframe>a', "a"),
        ('<p id="body" class="x">a</p>', "<p>a</p>"),
        ("<style>p{color:red}</style><p>a</p>", "<p>a</p>"),
    ],
)
def test_nothing_runs_loads_or_overlays_the_page(hostile: str, harmless: str) -> None:
    assert sanitize(hostile) == harmless


@pytest.mark.parametrize(
    "target", ["https://example.com/a?b=1", "http://example.com", "mailto:a@example.com", "tel:+90212"]
)
def test_links_stay_and_tell_nobody_where_they_are(target: str) -> None:
    assert sanitize(f'<a href="{target}" target="_top">a</a>') == (
        f'<a href="{target}" rel="noopener noreferrer nofollow">a</a>'
    )


def test_what_a_mail_means_stays() -> None:
    mail = '<table border="1"><tbody><tr><td colspan="2">a</td></tr></tbody></table><ul><li>b</li></ul><p><b>c</b></p>'
    assert sanitize(mail) == mail


@pytest.mark.parametrize("other", ["", 'alt="a > b" ', 'title="<img src=" '])
def test_remote_images_wait_until_they_are_asked_for(other: str) -> None:
    shown = sanitize(f'<img {other}src="https://example.com/x.png">')
    assert ' data-src="https://example.com/x.png"' in shown
    assert ' src="http' not in shown.replace(" data-src", "")


def test_images_of_the_mail_keep_their_content_id() -> None:
    assert sanitize('<img src="cid:photo@example">') == '<img src="cid:photo@example">'


@pytest.mark.timeout(40)  # what is not refused takes minutes
@pytest.mark.parametrize(
    "hostile", ["<div>" * 100_000, "<b>" * 100_000, "&" * 1_000_000, "x" * 3_000_000, "<a>x</a>" * 60_000]
)
def test_what_would_take_long_is_refused_and_still_read_as_text(hostile: str) -> None:
    with pytest.raises(TooComplexError):
        sanitize(hostile)
    to_text(hostile + "the end")


def test_text_keeps_the_lines_lists_and_cells() -> None:
    text = to_text("<div>Hello</div><div>there<br>you</div><ul><li>a</li><li>b</li></ul><p>c&nbsp;d</p>")
    assert [line.strip() for line in text.splitlines() if line.strip()] == [
        "Hello",
        "there",
        "you",
        "• a",
        "• b",
        "c d",
    ]


def test_text_marks_what_a_mail_program_quoted() -> None:
    html = (
        "<p>yes</p><blockquote type=cite><p>a</p><blockquote class=gmail_quote>b</blockquote>c</blockquote><p>end</p>"
    )
    assert [line for line in to_text(html).splitlines() if line.strip(" >")] == ["yes", "> a", "> > b", "> c", "end"]


def test_text_takes_an_indented_paragraph_for_what_it_is() -> None:
    assert to_text("<blockquote>indented</blockquote>") == "indented"


def test_text_of_a_mail_that_is_an_image_is_what_the_image_says() -> None:
    assert to_text('<img alt="Sale!" src="https://example.com/x.png">') == "Sale!"


@pytest.mark.parametrize(
    "source",
    ["HTTPS://tracker.example/p.gif", " https://tracker.example/p", "\thttps://tracker.example/p", "ht\ntps://x.example/p",
     "//tracker.example/p", "http://tracker.example/p"],
)  # fmt: skip
def test_a_remote_image_waits_however_its_address_is_written(source: str) -> None:
    clean = sanitize(f'<img alt="a > b" src="{source}"><b>hi</b>')
    assert ' src="' not in clean
    assert "<b>hi</b>" in clean


def test_our_own_agents_images_are_left_to_load() -> None:
    clean = sanitize('<img src="https://acme.example/logo.png">', load_images=True)
    assert clean == '<img src="https://acme.example/logo.png">'
