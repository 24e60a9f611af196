from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from harness import free_port
from mail_servers import access_token
from test_email_dkim import believed, options
from token_provider import Provider

from connectors.base import Receipt, Reply
from connectors.email import EmailConnector
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UncertainError
from normalizer.schema import Attachment, Recipient

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def trusted(certificate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))


async def outcome(
    connector: EmailConnector, reply: Reply, done: Sequence[Receipt] = ()
) -> tuple[list[Receipt], ConnectorError | None]:
    receipts: list[Receipt] = []
    try:
        async for receipt in connector.send(reply, done):
            receipts.append(receipt)  # noqa: PERF401, those before an error count too
    except ConnectorError as error:
        return receipts, error
    return receipts, None


def by(port: int, **options: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "tls": "none", **options}


def states(receipts: Sequence[Receipt]) -> dict[str, str]:
    return {receipt.recipient.address: receipt.recipient.state for receipt in receipts if receipt.recipient}


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
async def test_a_reply_arrives(postfix: Any, connector: Make, reply: Make, tls: str) -> None:
    port = postfix.tls if tls == "tls" else postfix.plain
    receipts, error = await outcome(
        connector(send=by(port, tls=tls)), reply(id=f"arrives-{tls}", text="Günaydın\n.\n..")
    )
    assert error is None
    [receipt] = receipts
    assert receipt.external_id == f"arrives-{tls}@example.com"
    assert receipt.piece == "rcpt:jane@customer.example"
    assert receipt.recipient is not None
    assert (receipt.recipient.state, receipt.recipient.code) == ("sent", "250")
    assert "queued as" in str(receipt.recipient.text)
    delivered = await postfix.delivered("jane", f"arrives-{tls}@")
    assert b"G=C3=BCnayd=C4=B1n\n.\n..\n" in delivered
    assert b"\nReturn-Path: <support@example.com>" in b"\n" + delivered


async def test_the_delivered_bytes_are_those_composed(postfix: Any, connector: Make, reply: Make) -> None:
    attached = Attachment(id="a", filename="ölçü.bin", content_type="application/x-thing")
    mail = reply({"a": bytes(range(256)) * 999}, id="bytes", html="<p>Merhaba</p>", attachments=(attached,))
    one, two = connector(send=by(postfix.plain)), connector(send=by(postfix.plain), aliases=["x@example.com"])
    await outcome(one, mail)
    first = await postfix.delivered("jane", "bytes@example.com")
    (postfix.root / "mail" / "jane").rename(postfix.root / "mail" / "jane-first")
    await outcome(two, mail)
    second = await postfix.delivered("jane", "bytes@example.com")
    assert first[first.index(b"From: ") :] == second[second.index(b"From: ") :]


async def test_a_signature_survives_the_way(postfix: Any, connector: Make, reply: Make) -> None:
    key = rsa.generate_private_key(65537, 2048)
    mail = reply(id="signed", html="<p>Günaydın</p>", text="Günaydın\n.\n.. \n\n\n", subject="Vazo " * 40)
    _, error = await outcome(connector(send=by(postfix.plain), **options(key)), mail)
    assert error is None
    delivered = await postfix.delivered("jane", "signed@example.com")
    # Postfix keeps a mail with LF line ends, and adds its own headers on top.
    assert believed(delivered.replace(b"\n", b"\r\n"), key)


async def test_a_login_over_starttls(postfix: Any, connector: Make, reply: Make) -> None:
    login = {"tls": "starttls", "username": "support", "password": "sesame"}
    receipts, error = await outcome(connector(send=by(postfix.login, **login)), reply(id="login"))
    assert error is None
    assert states(receipts) == {"jane@customer.example": "sent"}
    assert await postfix.delivered("jane", "login@example.com")


async def test_a_wrong_password_may_be_put_right(postfix: Any, connector: Make, reply: Make) -> None:
    login = {"tls": "starttls", "username": "support", "password": "simsalabim"}
    receipts, error = await outcome(connector(send=by(postfix.login, **login)), reply())
    assert receipts == []
    assert isinstance(error, TemporaryError)
    assert error.code == "535"
    assert "simsalabim" not in error.reason


async def test_a_login_by_token(postfix: Any, connector: Make, reply: Make) -> None:
    provider = Provider("support")
    async with provider.running() as oauth:
        login = {"tls": "starttls", "username": "support", "oauth": oauth}
        channel = connector(send=by(postfix.login, **login))
        for number in (1, 2):
            assert (await outcome(channel, reply(id=f"token{number}")))[1] is None
            assert await postfix.delivered("jane", f"token{number}@example.com")
        assert len(provider.asked) == 1  # it is good for an hour
        revoked = connector(send=by(postfix.login, **login))
        provider.answer = {"access_token": access_token("support", -1)}
        _, error = await outcome(revoked, reply())
        assert isinstance(error, TemporaryError)
        assert error.code == "535"
        provider.answer = None
        assert (await outcome(revoked, reply(id="token3")))[1] is None


async def test_one_stranger_among_good_recipients(postfix: Any, connector: Make, reply: Make) -> None:
    mail = reply(
        id="mixed",
        to=("jane@customer.example", "nobody@customer.example"),
        cc=("joe@customer.example", "not an address"),
    )
    receipts, error = await outcome(connector(send=by(postfix.plain)), mail)
    assert error is None
    assert states(receipts) == {
        "jane@customer.example": "sent",
        "joe@customer.example": "sent",
        "nobody@customer.example": "failed",
        "not an address": "failed",
    }
    [refused] = [one.recipient for one in receipts if one.recipient and one.recipient.address.startswith("nobody")]
    assert refused.code == "550"
    assert "User unknown" in str(refused.text)
    assert b"nobody@customer.example" in await postfix.delivered("joe", "mixed@example.com")


async def test_hidden_copies_are_hidden(postfix: Any, connector: Make, reply: Make) -> None:
    receipts, _ = await outcome(connector(send=by(postfix.plain)), reply(id="hidden", bcc=("joe@customer.example",)))
    assert states(receipts) == {"jane@customer.example": "sent", "joe@customer.example": "sent"}
    assert b"joe@" not in (await postfix.delivered("jane", "hidden@example.com"))
    copy = await postfix.delivered("joe", "hidden@example.com")
    assert b"Bcc" not in copy


async def test_who_has_it_is_not_sent_it_again(postfix: Any, connector: Make, reply: Make) -> None:
    mail = reply(id="again", to=("jane@customer.example", "busy@customer.example"))
    channel = connector(send=by(postfix.plain))
    receipts, error = await outcome(channel, mail)
    assert states(receipts) == {"jane@customer.example": "sent"}
    assert isinstance(error, TemporaryError)
    assert error.code == "450"
    assert [(one.address, one.state) for one in error.recipients] == [("busy@customer.example", "queued")]
    await postfix.delivered("jane", "again@example.com")

    again, error = await outcome(channel, mail, receipts)
    assert again == []
    assert isinstance(error, TemporaryError)
    assert len([1 for path in (postfix.root / "mail/jane/new").glob("*") if b"again@" in path.read_bytes()]) == 1


async def test_nothing_is_left_to_do(connector: Make, reply: Make) -> None:
    done = [Receipt(external_id="x", piece="rcpt:jane@customer.example")]
    assert await outcome(connector(send=by(1)), reply(), done) == ([], None)


async def test_all_refused_is_a_failure_in_the_servers_words(postfix: Any, connector: Make, reply: Make) -> None:
    receipts, error = await outcome(connector(send=by(postfix.plain)), reply(to=("nobody@customer.example",)))
    assert receipts == []
    assert isinstance(error, PermanentError)
    assert error.code == "550"
    assert "nobody@customer.example" in error.reason
    assert "User unknown" in error.reason
    assert [one.state for one in error.recipients] == ["failed"]


async def test_the_rest_refused_is_no_failure_of_the_whole(postfix: Any, connector: Make, reply: Make) -> None:
    done = [Receipt(external_id="x", piece="rcpt:jane@customer.example")]
    mail = reply(to=("jane@customer.example", "nobody@customer.example"))
    receipts, error = await outcome(connector(send=by(postfix.plain)), mail, done)
    assert error is None
    assert states(receipts) == {"nobody@customer.example": "failed"}


async def test_the_last_refused_is_a_failure_of_the_whole(postfix: Any, connector: Make, reply: Make) -> None:
    failed = Recipient(address="x@customer.example", state="failed")
    done = [Receipt(external_id="x", piece="rcpt:x@customer.example", recipient=failed)]
    mail = reply(to=("x@customer.example", "nobody@customer.example"))
    receipts, error = await outcome(connector(send=by(postfix.plain)), mail, done)
    assert receipts == []
    assert isinstance(error, PermanentError)


async def test_a_refused_content(postfix: Any, connector: Make, reply: Make) -> None:
    _, error = await outcome(connector(send=by(postfix.plain)), reply(subject="something forbidden"))
    assert isinstance(error, PermanentError)
    assert "we do not want this" in error.reason


async def test_too_large_for_the_server(postfix: Any, connector: Make, reply: Make) -> None:
    big = Attachment(id="a", filename="big", content_type="application/zip")
    _, error = await outcome(connector(send=by(postfix.plain)), reply({"a": b"x" * 2_000_000}, attachments=(big,)))
    assert isinstance(error, PermanentError)
    assert error.code == "552"


async def test_too_large_for_any_server(connector: Make, reply: Make) -> None:
    big = Attachment(id="a", filename="big", content_type="application/zip")
    _, error = await outcome(connector(send=by(1)), reply({"a": b"x" * (25 * 2**20 + 1)}, attachments=(big,)))
    assert isinstance(error, PermanentError)
    assert "25 MB" in error.reason


async def test_a_file_that_is_gone(connector: Make, reply: Make) -> None:
    gone = Attachment(id="gone", filename="offer.pdf", content_type="application/pdf")
    _, error = await outcome(connector(send=by(1)), reply(attachments=(gone,)))
    assert isinstance(error, PermanentError)
    assert '"offer.pdf"' in error.reason


async def test_an_address_beyond_ascii(postfix: Any, connector: Make, reply: Make) -> None:
    receipts, error = await outcome(
        connector(send=by(postfix.plain)), reply(id="utf8", to=("jürgen@customer.example",))
    )
    assert error is None
    assert states(receipts) == {"jürgen@customer.example": "sent"}
    assert "To: jürgen@customer.example\n".encode() in await postfix.delivered("juergen", "utf8@example.com")


async def test_an_address_beyond_ascii_where_the_server_cannot(scripted: Make, connector: Make, reply: Make) -> None:
    async with scripted({}) as port:
        _, error = await outcome(connector(send=by(port)), reply(to=("jürgen@customer.example",)))
    assert isinstance(error, PermanentError)
    assert "SMTPUTF8" in error.reason


async def test_an_untrusted_certificate_sends_nothing(
    postfix: Any, connector: Make, reply: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for port, tls in ((postfix.plain, "starttls"), (postfix.tls, "tls")):
        _, error = await outcome(connector(send=by(port, tls=tls)), reply())
        assert isinstance(error, TemporaryError)
        assert "certificate" in error.reason.lower()


async def test_no_starttls_where_it_is_asked_for_sends_nothing(scripted: Make, connector: Make, reply: Make) -> None:
    async with scripted({"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 ok"}) as port:
        _, error = await outcome(connector(send=by(port, tls="starttls")), reply())
    assert isinstance(error, TemporaryError)
    assert "STARTTLS" in error.reason


async def test_a_server_that_is_away(connector: Make, reply: Make) -> None:
    _, error = await outcome(connector(send=by(free_port())), reply())
    assert isinstance(error, TemporaryError)
    assert "127.0.0.1" in error.reason


async def test_without_send_it_says_what_to_do(connector: Make, reply: Make) -> None:
    receipts, error = await outcome(connector(), reply())
    assert receipts == []
    assert isinstance(error, PermanentError)
    assert "`send`" in error.reason


GOOD = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 taken"}


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"hello": "421 not now"}, TemporaryError, "421"),
        ({"hello": "554 go away"}, TemporaryError, "554"),
        ({"hello": ""}, TemporaryError, None),
        ({"EHLO": "502 what"}, TemporaryError, "502"),
        ({"MAIL": "451 later"}, TemporaryError, "451"),
        ({"MAIL": "550 not you"}, PermanentError, "550"),
        ({"MAIL": ""}, TemporaryError, None),
        ({"RCPT": "450 later"}, TemporaryError, "450"),
        ({"RCPT": ""}, TemporaryError, None),
        ({"DATA": "451 later"}, TemporaryError, "451"),
        ({"DATA": "554 no"}, PermanentError, "554"),
        ({"DATA": ""}, TemporaryError, None),
        ({"DATA": "250 what"}, TemporaryError, None),
        ({".": "451 later"}, TemporaryError, "451"),
        ({".": "554 spam"}, PermanentError, "554"),
        ({".": ""}, UncertainError, None),
        ({".": "gibberish"}, UncertainError, None),
        ({".": "354 more"}, UncertainError, None),
    ],
)
async def test_each_failure_has_its_kind(
    scripted: Callable[..., AbstractAsyncContextManager[int]],
    connector: Make,
    reply: Make,
    change: dict[str, str],
    kind: type[ConnectorError],
    code: str | None,
) -> None:
    async with scripted({**GOOD, **change}) as port:
        receipts, error = await outcome(connector(send=by(port)), reply())
    assert receipts == []
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize("change", [{}, {"QUIT": ""}])
async def test_a_rude_goodbye_is_no_failure(
    scripted: Make, connector: Make, reply: Make, change: dict[str, str]
) -> None:
    async with scripted({**GOOD, **change}) as port:
        receipts, error = await outcome(connector(send=by(port)), reply())
    assert error is None
    assert states(receipts) == {"jane@customer.example": "sent"}


async def test_santral_can_write_to_santral(running: Make, connector: Make, reply: Make) -> None:
    async with running() as run:
        receipts, error = await outcome(connector(send=by(run.port)), reply(to=("support@example.com",)))
        assert error is None
        assert states(receipts) == {"support@example.com": "sent"}
        assert b"Merhaba!" in run.journal.bodies[0]
        await asyncio.sleep(0)
