from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from config import Config, ConfigError, find_file, load

Load = Callable[..., Config]

ACME = """\
inbox: {name: Acme Support, locale: tr, timezone: Europe/Istanbul, public_url: https://inbox.example.com/}
server: {host: 0.0.0.0, port: 8081}
storage: {url: "${MONGODB_URL}"}
channels:
  - id: support-mail
    connector: email
    reopen_within: 14d
    address: support@example.com
    send: {host: smtp.example.com, password: "${SMTP_PASSWORD}"}
  - {id: site, connector: webchat, origins: ["https://www.example.com"]}
"""
SECRETS = {"MONGODB_URL": "mongodb://db/?replicaSet=rs", "SMTP_PASSWORD": "hunter2"}


def test_a_whole_file_is_understood(loaded: Load, tmp_path: Path) -> None:
    config = loaded(ACME, SECRETS)

    assert config.inbox.name == "Acme Support"
    assert config.inbox.public_url == "https://inbox.example.com"
    assert config.server.port == 8081
    assert config.storage.url is not None
    assert config.storage.url.get_secret_value() == SECRETS["MONGODB_URL"]
    assert config.storage.data_dir == tmp_path / "santral-data"
    mail, site = config.channels
    assert (mail.id, mail.connector, mail.reopen_within) == ("support-mail", "email", timedelta(days=14))
    assert mail.options == {
        "address": "support@example.com",
        "send": {"host": "smtp.example.com", "password": "hunter2"},
    }
    assert site.reopen_within is None
    assert config.source.line(("channels", 0, "send", "password")) == 9


def test_office_hours_are_of_the_inbox_s_time_zone_unless_they_name_one(loaded: Load) -> None:
    base = "inbox: {timezone: Europe/Istanbul}\nhours: {monday: [09:00-12:30, 13:30-24:00], closed: [2026-12-25]"

    inboxes, own = loaded(base + "}"), loaded(base + ", timezone: UTC}")

    assert inboxes.hours is not None
    assert own.hours is not None
    assert inboxes.hours.monday == ((540, 750), (810, 1440))
    assert inboxes.hours.tuesday == ()
    assert inboxes.hours.closed == (date(2026, 12, 25),)
    assert [str(one.hours.zone(one.inbox)) for one in (inboxes, own) if one.hours] == ["Europe/Istanbul", "UTC"]


def test_no_secret_stands_in_what_a_log_would_print(loaded: Load) -> None:
    config = loaded(ACME, SECRETS)

    shown = repr(config) + str(config) + repr(config.source) + repr(config.channels)

    assert "hunter2" not in shown
    assert "replicaSet" not in shown


def test_without_a_file_the_built_in_default_serves_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    config = load(None, environ={})

    assert config.server.url == config.inbox.public_url == "http://127.0.0.1:8080"
    assert config.storage.url is None
    assert config.storage.data_dir == tmp_path / "santral-data"
    assert [(channel.id, channel.connector) for channel in config.channels] == [("mail", "email"), ("site", "webchat")]
    assert config.channels[0].options["receive"] == {"smtp": {"host": "127.0.0.1", "port": 8025}}
    assert config.channels[0].options["send"]["host"] == "127.0.0.1"


def test_the_annotated_example_loads() -> None:
    example = Path(load(None, environ={}).source.file).with_name("example.yaml")

    assert {channel.connector for channel in load(example, environ={}).channels} == {"email", "webchat"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("server: {port: 80}", "http://127.0.0.1:80"),
        ("server: {host: 0.0.0.0}", "http://127.0.0.1:8080"),
        ('server: {host: "::"}', "http://[::1]:8080"),
        ("server: {host: inbox.lan}", "http://inbox.lan:8080"),
        ("inbox: {public_url: https://example.com/inbox/}", "https://example.com/inbox"),
    ],
)
def test_public_url(loaded: Load, text: str, url: str) -> None:
    assert loaded(text).inbox.public_url == url


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("storage: {data_dir: kept/here}", "kept/here"),
        ("storage: {}", "santral-data"),
        ("storage: {data_dir: 2026-01-01}", "2026-01-01"),
    ],
)
def test_data_dir_starts_at_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, folder: str
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "santral.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert load(Path("etc/santral.yaml"), environ={}).storage.data_dir == tmp_path / "etc" / folder


def test_an_absolute_data_dir_stays(loaded: Load) -> None:
    assert loaded("storage: {data_dir: /srv/santral}").storage.data_dir == Path("/srv/santral")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30m", timedelta(minutes=30)), ("24h", timedelta(hours=24)), ("0d", timedelta(0)), ("", None)],
)
def test_reopen_within(loaded: Load, written: str, meant: timedelta | None) -> None:
    config = loaded(f"channels: [{{id: a, connector: x, reopen_within: {written}}}]")

    assert config.channels[0].reopen_within == meant


def test_aliases_are_shared_values(loaded: Load) -> None:
    config = loaded(
        "channels:\n- {id: a, connector: x, send: &relay {host: mx}}\n- {id: b, connector: x, send: *relay}\n"
    )

    assert config.channels[0].options == config.channels[1].options == {"send": {"host": "mx"}}


def test_nothing_can_be_changed_afterwards(loaded: Load) -> None:
    config: Config = loaded(ACME, SECRETS)

    with pytest.raises(ValueError, match="frozen"):
        config.server.port = 1


def test_find_file(tmp_path: Path) -> None:
    assert find_file(tmp_path) is None
    (tmp_path / "santral.yaml").symlink_to("away.yaml")

    found = find_file(tmp_path)

    assert found == tmp_path / "santral.yaml"
    with pytest.raises(ConfigError, match=r"\(file\): the file does not exist; create it"):
        load(found, environ={})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ={})

    assert str(caught.value) == f"{tmp_path}:1: (file): is a folder; name the YAML file in it"
