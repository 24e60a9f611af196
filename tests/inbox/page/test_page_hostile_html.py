"""Mails made to run something in an agent's page, to leave it, to cover it, or to learn that they are read."""

# ruff: noqa: E501  (markup is read best on one line)

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from harness import served
from page_house import House, Screen, fresh
from playwright.async_api import expect

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
RUN = "top.hit=1;parent.hit=1;window.hit=1;console.error('hit');alert('hit')"
ELSEWHERE = "{elsewhere}"  # a server of somebody's, which remembers what it was asked

# What each one tries; every one ends in words by which it is seen that it was shown.
HOSTILE = {
    "script": f"<script>{RUN}</script>",
    "script from elsewhere": f'<script src="{ELSEWHERE}/a.js"></script>',
    "script in odd letters": f"<ScRiPt\x0c>{RUN}</sCrIpT\n>",
    "script in a script": f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "script behind a comment": f"<!--><script>{RUN}</script>-->",
    "script behind a broken comment": f'<!--!><img src=x onerror="{RUN}">-->',
    "module": f'<script type="module">import "{ELSEWHERE}/m.js"</script>',
    "import map": f'<script type="importmap">{{"imports":{{"x":"{ELSEWHERE}/m.js"}}}}</script>',
    "onerror": f'<img src="x" onerror="{RUN}">',
    "onerror without quotes": "<img src=x onerror=parent.hit=1>",
    "onerror behind a slash": "<img/src=x/onerror=parent.hit=1>",
    "onload": f'<body onload="{RUN}"><p onload="{RUN}">',
    "onfocus": f'<input autofocus onfocus="{RUN}"><a href="#" autofocus onfocus="{RUN}">x</a>',
    "ontoggle": f'<details open ontoggle="{RUN}">x</details>',
    "onanimationstart": f'<style>@keyframes x{{}}</style><p style="animation-name:x" onanimationstart="{RUN}">x</p>',
    "onpointerrawupdate": f'<div onpointerrawupdate="{RUN}" onmouseover="{RUN}">x</div>',
    "javascript link": f'<a href="javascript:{RUN}">link</a>',
    "javascript link in entities": '<a href="&#106;avascript&colon;parent.hit=1">link</a>',
    "javascript link with a tab": '<a href="java\tscript:parent.hit=1">link</a>',
    "javascript link behind a control": '<a href="\x01javascript:parent.hit=1">link</a>',
    "vbscript and data links": '<a href="vbscript:x">l</a><a href="data:text/html,<script>parent.hit=1</script>">l</a>',
    "svg": f'<svg onload="{RUN}"><script>{RUN}</script><animate onbegin="{RUN}" attributeName="x" dur="1s"></svg>',
    "svg use": f'<svg><use href="{ELSEWHERE}/s.svg#x"/><image href="{ELSEWHERE}/s.png"/></svg>',
    "svg link": '<svg><a xlink:href="javascript:parent.hit=1"><text>link</text></a></svg>',
    "math": '<math><mi xlink:href="javascript:parent.hit=1">link</mi></math>',
    "namespace confusion": f'<svg></p><style><a id="</style><img src=x onerror={RUN!r}>">',
    "math confusion": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=parent.hit=1&gt;">',
    "noscript confusion": f"<noscript><p title=\"</noscript><img src=x onerror='{RUN}'>\">",
    "template": f"<template><script>{RUN}</script></template>",
    "textarea and title": f'<title><img src=x onerror="{RUN}"></title><textarea></textarea><script>{RUN}</script>',
    "xmp and plaintext": f'<xmp><img src="</xmp><img src=x onerror={RUN!r}>"></xmp>',
    "meta refresh": f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}/refresh">',
    "meta csp": '<meta http-equiv="Content-Security-Policy" content="script-src *">',
    "meta refresh to javascript": '<meta http-equiv="refresh" content="0;url=javascript:parent.hit=1">',
    "base": f'<base href="{ELSEWHERE}/"><a href="x">link</a><img src="b.png">',
    "form": f'<form action="{ELSEWHERE}/form"><input name="password"><button autofocus>Sign in again</button></form>',
    "form by an attribute": f'<button formaction="{ELSEWHERE}/form">x</button><isindex action="javascript:parent.hit=1">',
    "iframe": f'<iframe src="{ELSEWHERE}/frame"></iframe><iframe srcdoc="<script>top.hit=1</script>"></iframe>',
    "frameset": f'<frameset><frame src="{ELSEWHERE}/frame"></frameset>',
    "object and embed": f'<object data="{ELSEWHERE}/o"></object><embed src="{ELSEWHERE}/e"><applet code="x"></applet>',
    "portal and fenced frame": f'<portal src="{ELSEWHERE}/p"></portal><fencedframe src="{ELSEWHERE}/p"></fencedframe>',
    "link": f'<link rel="stylesheet" href="{ELSEWHERE}/s.css"><link rel="prefetch" href="{ELSEWHERE}/pre">',
    "link dns": f'<link rel="preconnect" href="{ELSEWHERE}"><link rel="modulepreload" href="{ELSEWHERE}/m.js">',
    "style import": f'<style>@import "{ELSEWHERE}/i.css"; @font-face{{font-family:x;src:url({ELSEWHERE}/f.woff)}}</style>'
    '<p style="font-family:x">x</p>',
    "style with a background": f'<p style="background:url({ELSEWHERE}/bg.png)">x</p>',
    "style with a hidden url": f'<p style="background-color:u\\72l({ELSEWHERE}/h.png);list-style-image:url({ELSEWHERE}/l.png)">x</p>',
    "style image-set": f"<p style=\"background-image:image-set('{ELSEWHERE}/is.png' 1x);content:url({ELSEWHERE}/c.png)\">x</p>",
    "style expression": '<p style="width:expression(parent.hit=1);behavior:url(#x);-moz-binding:url(x)">x</p>',
    "old background": f'<table background="{ELSEWHERE}/t.png"><tr><td background="{ELSEWHERE}/td.png">x</td></tr></table>',
    "cover": '<div style="position:fixed;inset:0;z-index:99999;background:red;width:100vw;height:100vh">Sign in again</div>',
    "picture": f'<img src="{ELSEWHERE}/track.png" width="1" height="1">',
    "picture set": f'<picture><source srcset="{ELSEWHERE}/set.png"><img srcset="{ELSEWHERE}/set2.png 2x" src="x"></picture>',
    "picture without a scheme": f'<img src="//{ELSEWHERE}/noscheme.png"><input type="image" src="{ELSEWHERE}/in.png">',
    "picture lowsrc": f'<img lowsrc="{ELSEWHERE}/low.png" dynsrc="{ELSEWHERE}/dyn.png" longdesc="{ELSEWHERE}/long">',
    "picture of data": "<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='parent.hit=1'/>\">",
    "picture that signs out": '<img src="/api/v1/session/oidc?next=/"><img src="../../api/v1/me">',
    "sound": f'<audio src="{ELSEWHERE}/a.mp3" autoplay></audio><video poster="{ELSEWHERE}/p.png" src="{ELSEWHERE}/v.mp4"></video>'
    f'<bgsound src="{ELSEWHERE}/b.mid"><track src="{ELSEWHERE}/t.vtt">',
    "ping": f'<a href="https://example.org" ping="{ELSEWHERE}/ping">link</a>',
    "names that clobber": '<form id="app"></form><img name="getElementById"><a id="defaultView"></a><a name="body">x</a>',
    "own data-src": f'<img data-src="javascript:parent.hit=1" src="x"><p data-src="{ELSEWHERE}/d.png">x</p>',
    "attribute breaking out": f'<img alt="&quot; src=x onerror={RUN!r} x=&quot;" title=\'"><script>parent.hit=1</script>\'>',
    "cid breaking out": '<img src="cid:x&quot; onerror=&quot;parent.hit=1"><img src="cid:../../me">',
    "marker of the cleaner": f'<img src="cid:\ue0f2{ELSEWHERE}/marker.png"><img src="\ue0f2javascript:parent.hit=1">',
    "bad utf-8 quotes": "<a title='\u2028' onclick=`parent.hit=1` href=javascript&#x3A;parent.hit=1>link</a>",
    "custom element": '<x-y onclick="parent.hit=1"></x-y><slot onslotchange="parent.hit=1"></slot><dialog open>x</dialog>',
    "deep": "<div>" * 1500 + f'<img src=x onerror="{RUN}">' + "</div>" * 1500,
}


class Elsewhere:
    """Somebody's server: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(body=PNG, content_type="image/png")


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    made = Elsewhere()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.answer)
    async with served(app) as made.url:
        yield made


async def hits(screen: Screen) -> list[Any]:
    """What ran: in the page, and in every frame of it."""
    found = [await screen.page.evaluate("window.hit ?? null")]
    return [one for one in found if one is not None]


def shown(screen: Screen, text: str) -> Any:
    return screen.page.frame_locator(".message iframe").get_by_text(text)


@pytest.mark.timeout(480)  # more than sixty mails, one after the other
async def test_hostile_mails_run_nothing_and_ask_nobody_anything(
    house: House, screens: Any, elsewhere: Elsewhere
) -> None:
    conversations = []
    for name, body in HOSTILE.items():
        html = body.replace(ELSEWHERE, elsewhere.url.removeprefix("http://") if "//{" in body else elsewhere.url)
        page = f"<html><body>{html}<p>the end of it</p></body></html>"
        sender = f"eve{zlib.crc32(name.encode())}@example.org"
        conversations.append((name, await house.mail(fresh(name), html=page, sender=sender)))
    screen = await screens(await house.hire("Alice"))
    # A policy that stops what the cleaning let through says so: then one of both has failed.
    dialogs: list[str] = []
    screen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for name, conversation in conversations:
        await screen.page.evaluate(
            "id => { history.pushState(null, '', `/?c=${id}`); dispatchEvent(new PopStateEvent('popstate')); }",
            conversation["id"],
        )
        await expect(screen.messages, name).to_have_count(1)
        message = conversation["last_message"]["id"]
        await expect(screen.page.locator(f"#m-{message}")).to_be_visible()
        frame = screen.page.locator(".message iframe")
        text = screen.page.locator(".message .text")
        await expect(frame.or_(text)).to_be_visible()
        if await frame.count():
            handle = await frame.element_handle()
            inside = await handle.content_frame()
            await inside.wait_for_url(f"{house.url}/api/v1/messages/{message}/html")
            links = await inside.evaluate("[...document.links].map(one => one.href)")
            assert all(one.startswith(("http:", "https:", "mailto:")) for one in links), (name, links)
            left = await inside.evaluate(
                "[...document.body.querySelectorAll('*')].flatMap(one => [...one.attributes]).filter(one => /^on|^src|action|ping/.test(one.name)).map(one => one.name + '=' + one.value)"
            )
            assert all(one.startswith("src=/api/v1/attachments/") or one == "src=" for one in left), (name, left)
        assert await hits(screen) == [], name
        assert dialogs == [], name
        assert elsewhere.asked == [], name
        assert screen.page.url.startswith(house.url), name
    assert len(screen.context.pages) == 1
    assert screen.unexpected() == []


async def test_a_link_of_a_mail_opens_beside_the_page_which_it_learns_nothing_of(
    house: House, screens: Any, elsewhere: Elsewhere
) -> None:
    html = f'<p>Look <a href="{elsewhere.url}/there" target="_top">there</a> and <a href="javascript:alert(1)">here</a></p>'
    conversation = await house.mail(fresh("A link"), html=html)
    screen = await screens(await house.hire("Berta"))
    await screen.open(conversation)
    async with screen.context.expect_page() as opened:
        await shown(screen, "there").click()
    page = await opened.value
    await page.wait_for_url(f"{elsewhere.url}/there")
    assert await page.evaluate("[window.opener, document.referrer]") == [None, ""]
    assert screen.page.url.startswith(house.url)


async def test_pictures_from_elsewhere_are_loaded_when_asked_for_and_nothing_else_is(
    house: House, screens: Any, elsewhere: Elsewhere
) -> None:
    html = (
        f'<p style="background:url({elsewhere.url}/bg.png)">Our offer</p><img src="{elsewhere.url}/offer.png" alt="offer">'
        f'<img src="cid:logo" alt="logo"><img src="cid:nowhere" alt="lost"><link rel="stylesheet" href="{elsewhere.url}/s.css">'
        f'<iframe src="{elsewhere.url}/frame"></iframe><img src="ftp://example.org/x.png"><script src="{elsewhere.url}/a.js"></script>'
    )
    conversation = await house.mail(fresh("Offer"), html=html, pictures={"logo": PNG})
    screen = await screens(await house.hire("Carla"))
    await screen.open(conversation)
    await expect(shown(screen, "Our offer")).to_be_visible()
    frame = screen.page.frame_locator(".message iframe")
    await expect(frame.get_by_alt_text("logo")).to_have_js_property("naturalWidth", 1)
    assert elsewhere.asked == []
    # Shown within the text, it is not shown once more below it.
    await expect(screen.page.locator(".message .files")).to_have_count(0)

    await screen.page.get_by_role("button", name="Show pictures from elsewhere").click()
    await expect(frame.get_by_alt_text("offer")).to_have_js_property("naturalWidth", 1)
    await expect(frame.get_by_alt_text("logo")).to_have_js_property("naturalWidth", 1)
    assert elsewhere.asked == ["/offer.png"]
    assert [one for one in screen.foreign() if "/offer.png" not in one] == []
    screen.requests.clear()  # it was asked for

    # For this once: the next time it is asked again.
    await screen.page.reload()
    await expect(shown(screen, "Our offer")).to_be_visible()
    await expect(screen.page.get_by_role("button", name="Show pictures from elsewhere")).to_be_visible()
    assert elsewhere.asked == ["/offer.png"]


async def test_names_subjects_and_chats_are_text(house: House, screens: Any) -> None:
    tag = '<img src=x onerror="window.hit=1">'
    subject = fresh(f"{tag} {{}} ${{1}}")
    conversation = await house.mail(subject, f"{tag} javascript:alert(1) https://example.org/?a=1.", name=tag)
    async with house.visitor() as guest:
        await guest.say(words := fresh(tag))
        chat = await house.chat_of(words)
        screen = await screens(await house.hire("<b>Frida</b>"))
        for one in (conversation, chat):
            await screen.open(one)
            await expect(screen.messages.last).to_contain_text(tag)
    await screen.open(conversation)
    link = screen.messages.locator(".text a")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://example.org/?a=1")
    assert await hits(screen) == []
