"""What an email channel takes from the YAML file, checked when it is read."""

from __future__ import annotations

import ssl
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, SecretStr, model_validator

from connectors.base import Options
from connectors.email.addresses import Mailbox, canonical
from connectors.email.dkim import read_key


def _address(value: str) -> str:
    address = canonical(value)
    if address is None:
        raise ValueError(f'"{value}" is not a mail address; write it like support@example.com')
    return address


def _network(value: object) -> object:
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError(f'"{value}" is not an IP address or network; write it like 192.0.2.7 or 10.0.0.0/8') from None


def _key(value: SecretStr) -> SecretStr:
    read_key(value.get_secret_value())
    return value


def _domain(value: str) -> str:
    address = canonical(f"x@{value}")
    if address is None:
        raise ValueError(f'"{value}" is not a domain; write it like example.com')
    return address.removeprefix("x@")


def _secure_url(value: str) -> str:
    url = urlsplit(value)
    local = url.hostname in {"localhost", "127.0.0.1", "::1"}
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and local)):
        raise ValueError(f'"{value}" is no https address; write it like https://login.example.com/token')
    return value


MailAddress = Annotated[str, AfterValidator(_address)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Port = Annotated[int, Field(ge=0, le=65535)]


class CertificateOptions(Options):
    """The certificate and its key, as PEM files, with which SMTP in offers STARTTLS."""

    cert: Path = Field(description="PEM file with the certificate, and the chain after it")
    key: Path = Field(description="PEM file with the certificate's private key, without a passphrase")

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self.context()
        return self

    def context(self) -> ssl.SSLContext:
        """The TLS settings of a server with this certificate.

        Raises:
            ValueError: a file is missing or holds something else, or the key is another certificate's.
        """
        for path in (self.cert, self.key):
            if not path.is_file():
                raise ValueError(f"cannot find the file {path}")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # Without the empty password OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(self.cert, self.key, password="")
        except PermissionError as error:
            raise ValueError(f"may not read {self.cert} or {self.key}: {error.strerror}") from error
        except (ssl.SSLError, ValueError) as error:
            raise ValueError(
                f"{self.cert} and {self.key} are not a certificate and its key in PEM without a passphrase ({error})"
            ) from error
        return context


_TRUSTED = "addresses or networks exempt from limits, whose Authentication-Results are believed"


class SmtpReceiveOptions(Options):
    """A small SMTP server of our own that takes the channel's mail."""

    host: str = Field(default="127.0.0.1", description="the address to listen on; 0.0.0.0 for all")
    port: Port = Field(default=8025, description="the port to listen on; 25 where mail servers deliver directly")
    tls: CertificateOptions | None = Field(default=None, description="offers STARTTLS")
    max_size: ByteSize = Field(default=ByteSize(25 * 1024 * 1024), gt=0, description="the largest mail, such as 25MiB")
    trusted_relays: tuple[Network, ...] = Field(default=(), description=_TRUSTED)


class LmtpReceiveOptions(SmtpReceiveOptions):
    """The same for a mail server of our own (LMTP, RFC 2033), which answers for each recipient."""

    port: Port = Field(default=8024, description="the port to listen on")
    trusted_relays: tuple[Network, ...] = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description=_TRUSTED,
    )


class OAuthOptions(Options):
    """Signing in to a mail server by OAuth 2.0 (RFC 6749), in place of a password (XOAUTH2).

    With `refresh_token` somebody has consented to it once (Google); without, the program signs in for itself
    (Microsoft's client credentials).
    """

    token_url: Annotated[str, AfterValidator(_secure_url)] = Field(description="the provider's token endpoint")
    client_id: str = Field(min_length=1, description="the program's id at the provider")
    client_secret: SecretStr | None = Field(default=None, description="the program's secret")
    refresh_token: SecretStr | None = Field(default=None, description="what the consent gave; none: client credentials")
    scope: str | None = Field(default=None, description="what is asked for, where the provider wants it said")

    @model_validator(mode="after")
    def _whole_grant(self) -> Self:
        if self.refresh_token is None and self.client_secret is None:
            raise ValueError("give a refresh_token, or a client_secret for client credentials")
        return self


class ImapReceiveOptions(Options):
    """A folder of a mailbox, somewhere else, that is read."""

    host: str = Field(min_length=1, description="the mail server's name")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="its port; by default 993 with tls, 143 else"
    )
    tls: Literal["none", "starttls", "tls"] = Field(default="tls", description="how the connection is encrypted")
    username: str = Field(min_length=1, description="whose mailbox it is")
    password: SecretStr | None = Field(default=None, description="the mailbox's password, or one for this program")
    oauth: OAuthOptions | None = Field(default=None, description="signs in by OAuth 2.0, in place of a password")
    folder: str = Field(default="INBOX", min_length=1, description="the folder that is read, such as INBOX/Support")
    first_days: int = Field(
        default=7, ge=0, le=3650, description="how many days of older mail the first start takes too"
    )
    max_size: ByteSize = Field(
        default=ByteSize(25 * 1024 * 1024), gt=0, description="of a larger mail only its headers are taken"
    )
    delete: bool = Field(default=False, description="deletes mails from the folder once they are stored here")
    trusted: bool = Field(
        default=False, description="the server writes Authentication-Results itself: they are believed"
    )

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise ValueError("give a password or oauth, one of the two")
        return self

    @property
    def where(self) -> str:
        """The folder in words."""
        return f"{self.folder} of {self.username} at {self.host}"


class ReceiveOptions(Options):
    """The ways mail comes in."""

    smtp: SmtpReceiveOptions | None = Field(default=None, description="mail servers deliver to us by SMTP")
    lmtp: LmtpReceiveOptions | None = Field(default=None, description="a mail server of ours hands over by LMTP")
    imap: ImapReceiveOptions | None = Field(default=None, description="a mailbox somewhere else is read by IMAP")


class SendOptions(Options):
    """The mail server that takes our replies."""

    host: str = Field(min_length=1, description="the mail server's name")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="its port; by default 587 with starttls, 465 with tls, 25 with none"
    )
    username: str | None = Field(default=None, description="where the server asks for a login")
    password: SecretStr | None = Field(default=None, description="the login's password")
    oauth: OAuthOptions | None = Field(default=None, description="signs in by OAuth 2.0, in place of a password")
    tls: Literal["none", "starttls", "tls"] = Field(default="starttls", description="how the connection is encrypted")

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if self.password and self.oauth:
            raise ValueError("give a password or oauth, one of the two")
        if (self.username is None) != (self.password is None and self.oauth is None):
            missing = "password or oauth" if self.username else "username"
            raise ValueError(f"a login has a username, and a password or oauth; {missing} is missing")
        return self


class DkimOptions(Options):
    """The key that signs what leaves, where the mail server does not sign itself."""

    domain: Annotated[str, AfterValidator(_domain)] = Field(
        description="the domain that signs: the address's, or above"
    )
    selector: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$",
        description="names the public key: a TXT record of <selector>._domainkey.<domain>",
    )
    key: Annotated[SecretStr, AfterValidator(_key)] = Field(description="RSA private key in PEM, by ${file:/path}")

    @cached_property
    def private_key(self) -> RSAPrivateKey:
        """The key itself: to read it, and see that it is whole, takes 40 ms, which no mail is to wait for."""
        return read_key(self.key.get_secret_value())


class EmailOptions(Options):
    """An email channel."""

    address: MailAddress = Field(description="the channel's address: customers write to it, replies come from it")
    aliases: tuple[MailAddress, ...] = Field(default=(), description="other addresses whose mail belongs here")
    form_senders: tuple[MailAddress, ...] = Field(
        default=(), description="senders of web forms: the customer of their mail is in Reply-To"
    )
    receive: ReceiveOptions = Field(default=ReceiveOptions(), description="the ways mail comes in")
    send: SendOptions | None = Field(default=None, description="the mail server that takes replies")
    dkim: DkimOptions | None = Field(default=None, description="signs replies (DKIM)")
    signature: str = Field(default="", description="stands under replies of agents without one of their own")
    quote: bool = Field(default=False, description="replies repeat the mail that they answer, under their own text")

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        domain = self.mailbox().domain
        if self.dkim and not f".{domain}".endswith(f".{self.dkim.domain}"):
            told = (
                f"dkim.domain is {self.dkim.domain}, and only {domain} or a domain above it vouches for {self.address}"
            )
            raise ValueError(f"{told} (DMARC)")
        return self

    def mailbox(self) -> Mailbox:
        """The addresses of the channel."""
        return Mailbox(self.address, frozenset(self.aliases))
