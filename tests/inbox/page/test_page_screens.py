"""The page by keys alone, in Turkish, on a phone, and for whoever cannot see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from page_house import House, Screen, fresh
from papers import pdf
from playwright.async_api import expect

from inbox.api.agent_page import PAGE

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SUBJECT = "Sipariş nerede?"


async def focused(screen: Screen) -> str:
    told: str = await screen.page.evaluate(
        "(one => one.ariaLabel || one.textContent.trim() || one.name || one.tagName)(document.activeElement)"
    )
    return told


async def tab_to(screen: Screen, words: str, *, most: int = 40) -> None:
    """Presses Tab until what bears these words has the focus."""
    for _ in range(most):
        await screen.page.keyboard.press("Tab")
        if words in await focused(screen):
            return
    raise AssertionError(f"Tab does not come to {words!r}")


async def test_by_keys_alone_from_the_sign_in_to_resolving(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Only keys"), "No mouse here", sender="keys@example.org")
    agent = await house.hire("Tabea")
    screen = await screens()
    page, keys = screen.page, screen.page.keyboard
    await expect(page.get_by_label("Email")).to_be_focused()
    await keys.type(agent.email)
    await keys.press("Tab")
    await keys.type(agent.password)
    await keys.press("Enter")
    await screen.is_live()

    await keys.type("gu")
    await expect(page.locator(".nav .entry[aria-current]")).to_contain_text("Unassigned")
    await keys.press("j")
    await expect(screen.messages).to_contain_text(["No mouse here"])
    await keys.press("a")
    await expect(page.locator(".actions")).to_contain_text("Tabea")
    await keys.press("p")
    await expect(page.get_by_role("combobox", name="Priority")).to_be_focused()
    await keys.type("urg")
    await keys.press("Enter")
    await expect(page.locator(".actions")).to_contain_text("Urgent")
    await keys.press("t")
    await expect(page.get_by_role("textbox", name="Add a tag")).to_be_focused()
    await keys.type("vip")
    await keys.press("Enter")
    await expect(page.locator(".conversation .chip", has_text="vip")).to_be_visible()
    await keys.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await keys.press("r")
    await expect(screen.composer).to_be_focused()
    await keys.type(words := fresh("Written without a mouse"))
    await keys.press("Control+Enter")
    await expect(screen.messages.last).to_contain_text(words)
    await keys.press("Escape")
    await keys.press("Control+k")
    await expect(page.get_by_role("combobox", name="Type a command")).to_be_focused()
    await keys.type("resolve")
    await expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("Resolve")
    await keys.press("Enter")
    await expect(page.locator(".conversation .chip.is-resolved")).to_be_visible()
    await keys.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Everything works without a mouse.")
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    found = await house.desk.get(f"/api/v1/conversations/{conversation['id']}")
    assert (found["status"], found["assignee"], found["tags"]) == ("resolved", agent.id, ["vip"])

    # What has no key of its own is reached by Tab, and whatever has the focus shows that.
    await keys.press("u")
    await keys.press("/")
    await expect(page.locator("#search")).to_be_focused()
    await tab_to(screen, "Status")
    await page.locator(".skip").focus()
    await keys.press("Enter")
    await tab_to(screen, "Search messages")
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# Where the page speaks by itself.
AREAS = (
    ".nav, .sign-in, .list header, .conversation > .about, .composer, .customer h3, dialog, main.page h2, "
    "main.page thead, main.page form button, .delivery, .notice, .is-empty, .menu"
)
# English words that stand in other languages too, and what is a name or a unit.
ALIKE = {"normal", "bot", "not", "no", "to", "in", "a", "email", "token"}


def english() -> set[str]:
    """The words of the page in English that its Turkish does not have."""
    catalogues = [(PAGE / f"app/locales/{name}.js").read_text("utf-8") for name in ("en", "tr")]
    words = [
        {word.lower() for word in re.findall(r"[^\W\d_]{2,}", " ".join(re.findall(r'"([^"]*)"', one)))}
        for one in catalogues
    ]
    return words[0] - words[1] - ALIKE


async def test_the_whole_way_in_turkish(house: House, screens: Any) -> None:
    subject = fresh("İade nasıl yapılır?")
    words = "Iğdır’dan yazıyorum: şişe kırık çıktı, ÖĞÜNLÜK İÇİN."
    conversation = await house.mail(subject, words, sender="ayse@example.org", name="Ayşe Yılmaz")
    agent = await house.hire("Çiğdem", role="admin")
    screen = await screens(locale="tr-TR")
    page = screen.page
    foreign = english()
    # What people wrote and named is theirs.
    theirs = re.compile("root|site|mail|santral|example|org|com|ctrl|enter|escape|english|türkçe", re.IGNORECASE)

    async def is_turkish() -> None:
        said = await page.evaluate(
            """areas => {
              const found = [];
              for (const one of document.querySelectorAll(areas)) {
                found.push(one.innerText);
                for (const labelled of [one, ...one.querySelectorAll("*")])
                  for (const name of ["aria-label", "title", "placeholder"])
                    found.push(labelled.getAttribute(name) ?? "");
              }
              return found.join(" ");
            }""",
            AREAS,
        )
        found = {word.lower() for word in re.findall(r"[^\W\d_]{2,}", said)}
        assert {word for word in found & foreign if not theirs.fullmatch(word)} == set()

    await is_turkish()
    assert await page.evaluate("document.documentElement.lang") == "tr"
    await page.get_by_label("E-posta").fill(agent.email)
    await page.get_by_label("Parola").fill("yanlış parola")
    await page.get_by_role("button", name="Oturum aç").click()
    await expect(page.get_by_role("alert")).to_have_text("Bu adres ve parolayla kimse oturum açamıyor.")
    await page.get_by_label("Parola").fill(agent.password)
    await page.get_by_role("button", name="Oturum aç").click()
    await screen.is_live()
    await expect(screen.row(conversation["id"])).to_contain_text("Ayşe Yılmaz")
    await is_turkish()
    await screen.open(conversation)
    await expect(screen.messages).to_contain_text([words])
    await expect(page.locator(".day").first).to_contain_text(
        re.compile("Ocak|Şubat|Mart|Nisan|Mayıs|Haziran|Temmuz|Ağustos|Eylül|Ekim|Kasım|Aralık")
    )
    await expect(page.locator(".customer h2")).to_be_visible()
    await is_turkish()
    for key in ("Control+k", "?", "p", "z", "t", "A", "T", "i", "M"):
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_visible()
        await is_turkish()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("m")
    await expect(page.get_by_role("menu", name="İleti menüsü")).to_be_visible()
    await is_turkish()
    await page.keyboard.press("Escape")
    # İ is no I with a dot that stayed behind: commands are found as a Turkish reader types them.
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Bir komut yazın")).to_be_focused()
    await page.keyboard.type("ÜZERİME")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator(".actions")).to_contain_text("Çiğdem")
    await screen.composer.fill("Sayın Yılmaz, İĞNE ve ıhlamur yolda. Şimdilik bu kadar.")
    await page.get_by_role("button", name="Gönder", exact=True).click()
    await expect(screen.notice).to_contain_text("Gönderiliyor")
    await is_turkish()
    for where in ("channels", "failed", "staff", "tags"):
        await page.goto(f"{house.url}/?page={where}")
        await expect(page.locator("main.page h2").first).to_be_visible()
        await screen.is_live()
        await is_turkish()
    await house.post.took("Subject: Re: =?utf-8?")
    (_, reply) = await house.desk.messages(conversation["id"])
    assert reply["text"] == "Sayın Yılmaz, İĞNE ve ıhlamur yolda. Şimdilik bu kadar."


async def test_the_language_that_is_chosen_stays(house: House, screens: Any) -> None:
    screen = await screens()
    await screen.page.get_by_label("Language").select_option("tr")
    await expect(screen.page.get_by_label("Parola")).to_be_visible()
    await screen.page.reload()
    await expect(screen.page.get_by_label("Parola")).to_be_visible()


async def test_on_a_phone_one_lists_opens_answers_and_goes_back(house: House, screens: Any) -> None:
    async with house.visitor() as guest:
        await guest.say(words := fresh("On the move"))
        chat = await house.chat_of(words)
        for name in ("Returns", "Warehouse", "Complaints"):
            await house.desk.post("/api/v1/teams", {"name": fresh(name)})
        screen = await screens(
            await house.hire("Mona"), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
        )
        page = screen.page

        async def fits() -> None:
            beyond = "[...document.querySelectorAll('#app *')].filter(one => one.getBoundingClientRect().right > 391)"
            wide = await page.evaluate(f"{beyond}.map(one => one.outerHTML.slice(0, 100))")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, wide

        await expect(page.locator(".conversation")).to_be_hidden()
        await fits()
        await screen.row(chat["id"]).tap()
        await expect(screen.composer).to_be_visible()
        await expect(page.locator(".list")).to_be_hidden()
        await fits()
        await expect(screen.messages).to_contain_text([words])
        await expect(screen.send).to_be_in_viewport()
        await screen.composer.fill("At home at last?")
        async with screen.notices_stay():
            await screen.send.tap()
            await expect(screen.notice).to_be_visible()
            await screen.composer_is_free()
        await guest.hears("At home at last?")
        await expect(screen.messages.last).to_be_in_viewport()
        await page.get_by_role("button", name="Back to the list").tap()
        await expect(screen.row(chat["id"])).to_be_visible()
        await expect(screen.row(chat["id"])).to_contain_text("At home at last?")
        # The browser's own way back leads there too.
        await screen.row(chat["id"]).tap()
        await expect(screen.composer).to_be_visible()
        await page.go_back()
        await expect(screen.row(chat["id"])).to_be_visible()
        await page.locator(".nav").get_by_role("button", name="Unassigned").tap()
        await expect(page.locator(".nav [aria-current]")).to_contain_text("Unassigned")


async def faults(screen: Screen) -> list[str]:
    """What axe finds wrong with what is on the screen."""
    found = await screen.page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], iframes: false})",
        RULES,
    )
    return [
        f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def uploaded(house: House, name: str, content: bytes) -> str:
    async with house.desk.http.post("/api/v1/attachments", params={"filename": name}, data=content) as answer:
        return str((await answer.json())["id"])


@pytest.mark.timeout(480)  # two dozen views, each looked through by axe
@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_everybody_can_use_it(house: House, screens: Any, axe: Path, colours: str) -> None:
    subject = fresh("For everybody")
    html = '<p>One <b>two</b></p><img src="https://example.org/x.png">'
    conversation = await house.mail(subject, html=html, sender="blind@example.org")
    path = f"/api/v1/conversations/{conversation['id']}"
    files = [await uploaded(house, "list.csv", b"name;city"), await uploaded(house, "bill.pdf", pdf("One page"))]
    note = {"text": "A note for @root", "direction": "note", "attachments": files}
    await house.desk.post(f"{path}/messages", note)
    sent = await house.desk.post(f"{path}/messages", {"text": "A reply", "send_at": "2030-01-01T08:00:00Z"})
    async with house.desk.http.patch(path, json={"tags": ["vip", "lamps"], "priority": "urgent"}) as answer:
        assert answer.status == 200
    await house.desk.post("/api/v1/teams", {"name": fresh("Sales")})
    await house.desk.post(f"/api/v1/customers/{conversation['customer']['id']}/notes", {"text": "Calls in the morning"})
    screen = await screens(color_scheme=colours, script=axe)
    page = screen.page
    wrong: dict[str, list[str]] = {"sign-in": await faults(screen)}
    await page.get_by_label("Email").fill("nobody@example.com")
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).not_to_be_empty()
    wrong["wrong password"] = await faults(screen)
    await page.get_by_label("Email").fill(house.admin.email)
    await page.get_by_label("Password").fill(house.admin.password)
    await page.keyboard.press("Enter")
    await screen.is_live()
    wrong["inbox"] = await faults(screen)
    await screen.open(conversation)
    await expect(page.locator(f"#m-{sent['id']} .delivery")).to_be_visible()
    await expect(page.locator(".customer h2")).to_be_visible()
    wrong["conversation"] = await faults(screen)
    await page.keyboard.press("m")
    await expect(page.get_by_role("menu")).to_be_visible()
    wrong["menu"] = await faults(screen)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Preview: list.csv").click()
    await expect(page.get_by_role("dialog").locator("table")).to_be_visible()
    wrong["table"] = await faults(screen)
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".pages")).to_contain_text("One page")
    wrong["pages"] = await faults(screen)
    await page.keyboard.press("Escape")
    lines = "[...document.querySelectorAll('.actions button')].filter(one => one.checkVisibility())"
    for width in (1000, 1280):  # with the customer's button, and with their pane
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate(f"{lines}.every(one => one.getBoundingClientRect().right <= innerWidth)"), width
    assert len(set(await page.evaluate(f"{lines}.map(one => one.offsetTop)"))) == 1
    await page.get_by_label("Send at").fill("2099-01-01T09:30")
    await expect(page.get_by_label("Hold it")).to_be_visible()
    wrong["put off"] = await faults(screen)
    await page.get_by_label("Send at").fill("")
    await page.keyboard.press("Escape")

    async def typed(key: str) -> None:
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_visible()
        wrong[f"window {key}"] = await faults(screen)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)

    for key in ("Control+k", "?", "p", "t", "i", "M", "Control+i"):
        await typed(key)
    await page.get_by_role("button", name="Erase").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    wrong["erase"] = await faults(screen)
    await page.keyboard.press("Escape")
    await page.locator(".nav .foot .entry").last.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    wrong["my settings"] = await faults(screen)
    await page.keyboard.press("Escape")
    await page.keyboard.press("x")
    await expect(page.locator(".bulk")).to_be_visible()
    wrong["selected"] = await faults(screen)
    await page.keyboard.press("x")
    await page.keyboard.press("n")
    await screen.composer.fill("Look at this @ro")
    await expect(page.locator(".suggestions")).to_be_visible()
    wrong["note"] = await faults(screen)
    await screen.composer.fill("")
    for where in ("channels", "failed", "staff", "tags"):
        await page.goto(f"{house.url}/?page={where}")
        await expect(page.locator("main.page h2").first).to_be_visible()
        await screen.is_live()
        wrong[where] = await faults(screen)
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(house.url)
    await screen.is_live()
    wrong["phone"] = await faults(screen)
    told = [f"{where}: {one}" for where, found in wrong.items() for one in found]
    assert told == [], "\n".join(told)
