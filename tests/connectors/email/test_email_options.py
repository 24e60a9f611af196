from __future__ import annotations

import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.email import EmailOptions


def parse(**options: Any) -> EmailOptions:
    return EmailOptions.model_validate({"address": "Support@Example.com", **options})


def complaint(**options: Any) -> tuple[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as caught:
        parse(**options)
    [error] = caught.value.errors()
    return error["loc"], error["msg"]


def test_an_address_is_enough() -> None:
    options = parse()
    assert options.address == "support@example.com"
    assert options.receive.smtp is None
    assert options.send is None


def test_defaults_of_smtp_in() -> None:
    smtp = parse(receive={"smtp": {}}).receive.smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.max_size) == ("127.0.0.1", 8025, 25 * 1024 * 1024)


def test_sizes_may_be_written_by_people() -> None:
    smtp = parse(receive={"smtp": {"max_size": "40MiB"}}).receive.smtp
    assert smtp is not None
    assert smtp.max_size == 40 * 1024 * 1024


@pytest.mark.parametrize("address", ["support", "a b@example.com", "<a@example.com>", "a@b@c", "x@exa\nmple.com", ""])
def test_what_is_no_address_is_said_so(address: str) -> None:
    where, what = complaint(address=address)
    assert where == ("address",)
    assert "is not a mail address" in what


def test_an_address_with_a_domain_of_its_own_letters_is_kept_in_ascii() -> None:
    assert parse(aliases=["Info@Bücher.example"]).aliases == ("info@xn--bcher-kva.example",)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"dkin": {}}, ("dkin",)),
        ({"receive": {"pop3": {}}}, ("receive", "pop3")),
        ({"receive": {"imap": {"username": "u", "password": "p"}}}, ("receive", "imap", "host")),
        ({"receive": {"smtp": {"prot": 1}}}, ("receive", "smtp", "prot")),
        ({"send": {"host": "x", "ssl": True}}, ("send", "ssl")),
        ({"receive": {"smtp": {"port": 70000}}}, ("receive", "smtp", "port")),
        ({"receive": {"smtp": {"max_size": 0}}}, ("receive", "smtp", "max_size")),
        ({"send": {"host": "x", "tls": "ssl"}}, ("send", "tls")),
        ({"send": {"host": ""}}, ("send", "host")),
    ],
)
def test_mistakes_name_their_place(options: dict[str, Any], where: tuple[str, ...]) -> None:
    assert complaint(**options)[0] == where


def test_relays_are_addresses_or_networks() -> None:
    smtp = parse(receive={"smtp": {"trusted_relays": ["10.1.2.3", "192.0.2.9/24", "2001:db8::/32"]}}).receive.smtp
    assert smtp is not None
    assert [str(network) for network in smtp.trusted_relays] == ["10.1.2.3/32", "192.0.2.0/24", "2001:db8::/32"]
    _, what = complaint(receive={"smtp": {"trusted_relays": ["mail.example.com"]}})
    assert '"mail.example.com" is not an IP address or network' in what


def test_a_login_is_whole() -> None:
    assert "password or oauth is missing" in complaint(send={"host": "x", "username": "u"})[1]
    assert "username is missing" in complaint(send={"host": "x", "password": "p"})[1]
    oauth = {"token_url": "https://login.example.com/token", "client_id": "c", "client_secret": "s"}
    assert parse(send={"host": "x", "username": "u", "oauth": oauth}).send is not None
    both = {"host": "x", "username": "u", "password": "p", "oauth": oauth}
    assert "one of the two" in complaint(send=both)[1]
    assert "one of the two" in complaint(receive={"imap": both})[1]
    assert "one of the two" in complaint(receive={"imap": {"host": "x", "username": "u"}})[1]
    powerless = {"host": "x", "username": "u", "oauth": {**oauth, "client_secret": None}}
    assert "give a refresh_token" in complaint(receive={"imap": powerless})[1]
    plain = {"host": "x", "username": "u", "oauth": {**oauth, "token_url": "http://login.example.com/token"}}
    assert "no https address" in complaint(receive={"imap": plain})[1]


def test_the_password_is_not_shown() -> None:
    options = parse(send={"host": "x", "username": "u", "password": "sesame"})
    assert "sesame" not in repr(options)
    assert "sesame" not in options.model_dump_json()


def test_a_certificate_is_read_when_the_options_are(certificate: Any, tmp_path: Path) -> None:
    tls = {"cert": certificate.cert, "key": certificate.key}
    smtp = parse(receive={"smtp": {"tls": tls}}).receive.smtp
    assert smtp is not None
    assert smtp.tls is not None
    assert isinstance(smtp.tls.context(), ssl.SSLContext)

    missing = tmp_path / "no.pem"
    assert f"cannot find the file {missing}" in complaint(receive={"smtp": {"tls": {**tls, "key": missing}}})[1]
    swapped = tmp_path / "swapped.pem"
    shutil.copy(certificate.cert, swapped)
    assert "not a certificate and its key" in complaint(receive={"smtp": {"tls": {**tls, "key": swapped}}})[1]
    swapped.write_text("garbage")
    assert "not a certificate and its key" in complaint(receive={"smtp": {"tls": {**tls, "cert": swapped}}})[1]
