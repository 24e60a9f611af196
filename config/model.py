"""What the top-level keys of the file mean. Sentences in errors follow the form `what; what to do`."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping
from datetime import UTC, date, timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from config.source import CHANNEL_KEYS, Source
from config.words import OWN_WORDS

_DURATION = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}")
_ID = re.compile(r"[a-z0-9_-]{1,40}")
_SPAN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_DAY_MINUTES = 24 * 60


def _wrong(text: str) -> PydanticCustomError:
    """An error whose text is ours, so that it is known to quote nothing."""
    return PydanticCustomError(OWN_WORDS, "{text}", {"text": text})


def _duration(value: object) -> timedelta | None:
    if value is None:
        return None
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong("must be a duration; write it such as 14d, 24h or 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _timezone(value: str) -> str:
    try:
        if value != "UTC":  # the one that needs no time zone data on the machine
            ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        close = difflib.get_close_matches(value, available_timezones(), 1)
        todo = f'did you mean "{close[0]}"?' if close else "use an IANA name such as Europe/Istanbul"
        raise _wrong(f"unknown time zone; {todo}") from None
    return value


def _zone(name: str) -> tzinfo:
    """The time zone itself; UTC needs no time zone data on the machine."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _span(value: object) -> tuple[int, int]:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong('must be a time of day from and to; write it such as "09:00-18:00", to 24:00 at the latest')
    hours, minutes, end_hours, end_minutes = map(int, match.groups())
    start, end = hours * 60 + minutes, end_hours * 60 + end_minutes
    if start >= end or end > _DAY_MINUTES:
        raise _wrong("must end after it begins, and by 24:00; write what is after midnight under the next day")
    return start, end


def _in_order(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        raise _wrong("the times overlap or are out of order; write each after the one before it")
    return spans


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _wrong('must be a date; write it such as "2026-12-25"') from None


def _public_url(value: str) -> str:
    try:
        url = urlsplit(value)
        good = url.scheme in {"http", "https"} and url.hostname and url.username is None and url.port != 0
    except ValueError:
        good = False
    if not good or url.query or url.fragment or not value.isprintable() or " " in value:
        raise _wrong("must be an http or https address; write it such as https://inbox.example.com")
    return value.rstrip("/")


def _mongodb_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
        raise _wrong("must be a MongoDB address; begin it with mongodb:// or mongodb+srv://")
    return value


def _folder(value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise _wrong("must be the path of a folder; leave it out for santral-data beside this file")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise _wrong("there is no such home folder; write the whole path") from None


def _matches(pattern: re.Pattern[str], text: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise _wrong(text)
        return value

    return AfterValidator(check)


class _Section(BaseModel):
    # Inputs may be secrets, so that not even pydantic's own text of an error may hold them.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class InboxConfig(_Section):
    """The inbox as a whole.

    Attributes:
        name: what customers see as the sender's name.
        locale: BCP 47 language tag.
        timezone: IANA name.
        public_url: where the world reaches Santral's HTTP, without a slash at the end.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)] = "Santral"
    locale: Annotated[str, _matches(_LOCALE, "must be a language; write it such as en, tr or pt-BR")] = "en"
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    public_url: Annotated[str, AfterValidator(_public_url)] = ""

    @property
    def zone(self) -> tzinfo:
        """The time zone itself."""
        return _zone(self.timezone)


class ServerConfig(_Section):
    """Where the page, the API and web chat listen.

    Attributes:
        host: the address, or a name of it.
        port: of all of it.
        worker_port: where a process without that part answers `/healthz`, `/readyz` and `/metrics`; None for nowhere.
    """

    host: Annotated[str, _matches(_HOST, "must be an address or a host name; write it such as 127.0.0.1")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    worker_port: Annotated[int, Field(ge=1, le=65535)] | None = None

    @property
    def url(self) -> str:
        """How a browser on this machine reaches the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class StorageConfig(_Section):
    """Where everything is kept: the MongoDB at `url`, or with None the embedded one, under `data_dir`."""

    url: Annotated[SecretStr, AfterValidator(_mongodb_url)] | None = None
    data_dir: Annotated[Path, BeforeValidator(_folder)] = Path("santral-data")


class ChannelConfig(_Section):
    """One channel.

    Attributes:
        id: unique, part of addresses such as `/hooks/{id}`.
        connector: the connector's registered name; whether there is one is not known here.
        reopen_within: how long a resolved conversation is reopened by the next message; None leaves it to the
            connector.
        options: all other keys, for the connector to validate. They may hold secrets.
    """

    id: Annotated[str, _matches(_ID, "must be 1 to 40 of a-z, 0-9, - and _; write it such as support-mail")]
    connector: Annotated[str, Field(min_length=1, max_length=100)]
    reopen_within: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    options: Mapping[str, Any] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, data: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        if not isinstance(data, dict):
            return data
        own = {key: value for key, value in data.items() if key in CHANNEL_KEYS}
        return {**own, "options": {key: value for key, value in data.items() if key not in CHANNEL_KEYS}}


class RetentionConfig(_Section):
    """How long things are kept; None keeps them until somebody erases them.

    Attributes:
        conversations: resolved ones, since anything last happened in them; with messages, originals and files.
        originals: what came in, byte for byte.
        attachments: the bytes of files; their messages stay.
        audit: who read, changed, exported or erased what.
    """

    conversations: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    originals: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    attachments: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    audit: Annotated[timedelta | None, BeforeValidator(_duration)] = None


class WebhooksConfig(_Section):
    """What subscribers may be called.

    Attributes:
        allow_networks: networks beside the public addresses, such as one's own; there http is enough.
    """

    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()


Day = Annotated[tuple[Annotated[tuple[int, int], BeforeValidator(_span)], ...], AfterValidator(_in_order)]
"""When a day is open: from and to, in minutes since its midnight, in order; empty where it is closed."""


class HoursConfig(_Section):
    """When the office is open.

    Attributes:
        timezone: IANA name of the zone whose clocks the times are of; None: that of the inbox.
        monday: and so on: the day's opening times.
        closed: days on which it is closed, whatever day of the week they are.
    """

    timezone: Annotated[str, AfterValidator(_timezone)] | None = None
    monday: Day = ()
    tuesday: Day = ()
    wednesday: Day = ()
    thursday: Day = ()
    friday: Day = ()
    saturday: Day = ()
    sunday: Day = ()
    closed: tuple[Annotated[date, BeforeValidator(_date)], ...] = ()

    @property
    def week(self) -> tuple[Day, ...]:
        """The days' opening times, Monday first."""
        return (
            self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday
        )  # fmt: skip

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if not any(self.week):
            raise _wrong('no day is open; write such as monday: ["09:00-18:00"], or leave `hours` out')
        return self

    def zone(self, inbox: InboxConfig) -> tzinfo:
        """The time zone whose clocks the times are of."""
        return _zone(self.timezone or inbox.timezone)


def _issuer(value: str) -> str:
    try:
        url = urlsplit(value)
        local = url.hostname in {"127.0.0.1", "::1", "localhost"}
        good = url.hostname and (url.scheme == "https" or (url.scheme == "http" and local)) and not url.query
    except ValueError:
        good = False
    if not good:
        raise _wrong("must be the https address of the provider; write it as its discovery document does")
    return value


class OidcConfig(_Section):
    """An OpenID Connect provider by which agents sign in.

    Attributes:
        issuer: its address, as its discovery document has it.
        client_id: what it calls us.
        client_secret: by which it knows us.
        name: what agents call it.
        create: the role of agents who are made when the provider vouches for somebody new; None: nobody is.
    """

    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Annotated[str, Field(min_length=1, max_length=300)]
    client_secret: SecretStr
    name: Annotated[str, Field(min_length=1, max_length=100)] = "single sign-on"
    create: Literal["agent", "supervisor"] | None = None


class SignInConfig(_Section):
    """How agents sign in beside their passwords."""

    oidc: OidcConfig | None = None


class Config(_Section):
    """The whole configuration. `load` makes it; paths in it are absolute and `inbox.public_url` is filled."""

    inbox: InboxConfig = InboxConfig()
    server: ServerConfig = ServerConfig()
    storage: StorageConfig = StorageConfig()
    retention: RetentionConfig = RetentionConfig()
    webhooks: WebhooksConfig = WebhooksConfig()
    sign_in: SignInConfig = SignInConfig()
    hours: HoursConfig | None = None
    channels: tuple[ChannelConfig, ...] = ()
    _source: Source = PrivateAttr()

    @property
    def source(self) -> Source:
        """The file behind it, to tell on which line a connector's option is wrong."""
        return self._source
