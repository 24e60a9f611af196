"""Each mistake is exactly one line, and all of them come at once."""

from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]

TABLE = {
    # the file as a whole
    "empty": ("", ["1: (file): the file is empty; begin with `channels:`, see docs/configuration.md"]),
    "only comments": (
        "# nothing\n",
        ["1: (file): the file is empty; begin with `channels:`, see docs/configuration.md"],
    ),
    "a list": ("- a\n", ["1: (file): must be a mapping (keys with values); begin with `channels:`"]),
    "a text": ("# x\nhello\n", ["2: (file): must be a mapping (keys with values); begin with `channels:`"]),
    "latin-1": (b"inbox:\n  name: K\xf6ln\n", ["2: (file): the file is not UTF-8 text; save it as UTF-8"]),
    "utf-16": ("inbox: {}".encode("utf-16"), ["1: (file): the file is not UTF-8 text; save it as UTF-8"]),
    "control character": (
        "inbox:\n  name: \x01\n",
        ["2: (file): holds a control character; remove it, or write it as an escape in quotes"],
    ),
    "10 MB": (
        b"#" * 10_000_000,
        ["1: (file): the file is larger than 256 KiB; is it a configuration at all?"],
    ),
    # YAML
    "tab": ("server:\n\tport: 1\n", ["2: (file): a tab stands where YAML wants spaces; indent with spaces"]),
    "bracket": (
        "server: {port: 1\ninbox: {}\n",
        [
            (
                "2: (file): not valid YAML: expected ',' or '}', but got ':'; "
                "check the indentation, quotes and brackets here and on the line before"
            )
        ],
    ),
    "two documents": (
        "---\ninbox: {}\n---\ninbox: {}\n",
        ["3: (file): a second document begins; keep one document in the file, without `---` between"],
    ),
    "unknown alias": (
        "inbox: *nobody\n",
        [
            (
                "1: (file): not valid YAML: found undefined alias 'nobody'; "
                "check the indentation, quotes and brackets here and on the line before"
            )
        ],
    ),
    "deep": ("a: " + "[" * 5000, ["1: (file): nested too deeply; use at most 32 levels"]),
    "alias of itself": (
        "inbox: &a\n  name: *a\n",
        ["2: inbox.name: nested too deeply; do not let an alias contain itself"],
    ),
    "bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        ["1: (file): more than 20000 values, aliases counted; use fewer aliases"],
    ),
    "duplicate keys": (
        "server:\n  port: 80\n  host: a\n  port: 81\n  host: b\n",
        [
            "4: server.port: the same key stands on line 2; remove one of them",
            "5: server.host: the same key stands on line 3; remove one of them",
        ],
    ),
    "unknown tags": (
        "inbox: {name: !secret x}\nserver: !!python/object:os.system {}\n",
        [
            "1: inbox.name: the tag !secret is not known here; remove it",
            "2: server: the tag !!python/object:os.system is not known here; remove it",
        ],
    ),
    "binary": ("inbox: {name: !!binary aGk=}", ["1: inbox.name: the tag !!binary is not known here; remove it"]),
    "no number": (
        "server: {port: !!int eighty}",
        ["1: server.port: is not the number or truth value that it looks like; put it in quotes"],
    ),
    "keys that are no text": (
        "1: a\ntrue: b\n? [c]\n: d\n",
        [
            "1: (file): the key 1 is not text; put it in quotes",
            "2: (file): the key true is not text; put it in quotes",
            "3: (file): the key in brackets is not text; put it in quotes",
        ],
    ),
    "merge key": (
        "server:\n  <<: {port: 1}\n",
        ["2: server: merge keys (`<<`) are not supported; write the keys out, or alias the whole"],
    ),
    "half a character": (
        'inbox:\n  name: "\\ud800"\n',
        ["2: inbox.name: holds half a character (a lone surrogate); write the character in UTF-8"],
    ),
    "a key on two lines": (
        '"in\\nbox": {}\n',
        ['1: ["in\\nbox"]: unknown key; did you mean "inbox"?'],
    ),
    # keys
    "unknown key at the top": ("chanels: []", ['1: chanels: unknown key; did you mean "channels"?']),
    "nothing alike": (
        "zzz: 1",
        ["1: zzz: unknown key; known here: inbox, server, storage, retention, webhooks, sign_in, hours, channels"],
    ),
    "unknown key, its neighbour there": (
        "server:\n  port: 1\n  prot: 2",
        ['3: server.prot: unknown key; did you mean "port"?'],
    ),
    "later parts": (
        "bots: []\nrules: []\nfaq: x\n",
        [
            f"{line}: {key}: not available in this version; remove it"
            for line, key in enumerate(("bots", "rules", "faq"), 1)
        ],
    ),
    "hours": (
        (
            'hours:\n  timezone: Europe/Istambul\n  mondy: []\n  tuesday: 09:00-18:00\n  friday: ["9:00-18:00"]\n'
            '  saturday: ["10:00-24:30"]\n  sunday: ["12:00-13:00", "10:00-12:30"]\n  closed: [25.12.2026]\n'
        ),
        [
            '2: hours.timezone: unknown time zone; did you mean "Europe/Istanbul"?',
            '3: hours.mondy: unknown key; did you mean "monday"?',
            "4: hours.tuesday: must be a list; got text",
            (
                "5: hours.friday[0]: must be a time of day from and to; "
                'write it such as "09:00-18:00", to 24:00 at the latest'
            ),
            (
                "6: hours.saturday[0]: must end after it begins, and by 24:00; "
                "write what is after midnight under the next day"
            ),
            "7: hours.sunday: the times overlap or are out of order; write each after the one before it",
            '8: hours.closed[0]: must be a date; write it such as "2026-12-25"',
        ],
    ),
    "never open": (
        'hours:\n  closed: ["2026-12-25"]\n',
        ['1: hours: no day is open; write such as monday: ["09:00-18:00"], or leave `hours` out'],
    ),
    # values
    "who vouches": (
        "sign_in:\n  oidc:\n    issuer: http://id.test\n    client_id: x\n    client_secret: y\n    create: admin\n",
        [
            (
                "3: sign_in.oidc.issuer: must be the https address of the provider; "
                "write it as its discovery document does"
            ),
            '6: sign_in.oidc.create: must be "agent" or "supervisor"; choose one of them',
        ],
    ),
    "how long to keep": (
        "retention:\n  originals: forever\n  mails: 3d\n",
        [
            "2: retention.originals: must be a duration; write it such as 14d, 24h or 30m",
            "3: retention.mails: unknown key; known here: conversations, originals, attachments, audit",
        ],
    ),
    "port as text": (
        "server:\n  port: eighty\n",
        ["2: server.port: must be a whole number from 1 to 65535; got text"],
    ),
    "port out of range": (
        "server: {port: 65536}",
        ["1: server.port: must be a whole number from 1 to 65535; got 65536"],
    ),
    "half a port": ("server: {port: 80.5}", ["1: server.port: must be a whole number from 1 to 65535; got 80.5"]),
    "huge port": (
        f"server: {{port: {'9' * 5000}}}",
        ["1: server.port: is not the number or truth value that it looks like; put it in quotes"],
    ),
    "section as text": ("server: here", ["1: server: must be a mapping (keys with values); got text"]),
    "section as nothing": ("server:", ["1: server: must be a mapping (keys with values); got nothing"]),
    "number as name": ("inbox: {name: 5}", ["1: inbox.name: must be text; got a whole number, put it in quotes"]),
    "empty name": ("inbox: {name: ''}", ["1: inbox.name: is empty; write something, or leave the key out"]),
    "locale": (
        "inbox: {locale: en_US}",
        ["1: inbox.locale: must be a language; write it such as en, tr or pt-BR"],
    ),
    "time zone": (
        "inbox: {timezone: Europe/Istambul}",
        ['1: inbox.timezone: unknown time zone; did you mean "Europe/Istanbul"?'],
    ),
    "time zone that is a folder": (
        "inbox: {timezone: ../../etc/passwd}",
        ["1: inbox.timezone: unknown time zone; use an IANA name such as Europe/Istanbul"],
    ),
    "public_url": (
        "inbox: {public_url: inbox.example.com}",
        [
            "1: inbox.public_url: must be an http or https address; write it such as https://inbox.example.com",
        ],
    ),
    "storage.url": (
        "storage: {url: 'postgres://x'}",
        ["1: storage.url: must be a MongoDB address; begin it with mongodb:// or mongodb+srv://"],
    ),
    "data_dir": (
        "storage: {data_dir: [a]}",
        [
            "1: storage.data_dir: must be the path of a folder; leave it out for santral-data beside this file",
        ],
    ),
    # channels
    "channels as mapping": (
        "channels: {mail: {}}",
        ["1: channels: must be a list; got a mapping (keys with values)"],
    ),
    "channel as text": (
        "channels:\n- mail\n",
        ["2: channels[0]: must be a mapping (keys with values); got text"],
    ),
    "no id, mistyped connector": (
        "channels:\n\n- conector: email\n",
        [
            "3: channels[0].id: a required key is missing; add it",
            '3: channels[0].connector: a required key is missing; did you write it as "conector"?',
        ],
    ),
    "id": (
        "channels: [{id: Büro, connector: x}]",
        ["1: channels[0].id: must be 1 to 40 of a-z, 0-9, - and _; write it such as support-mail"],
    ),
    "one id twice": (
        "channels:\n- {id: a, connector: x}\n- {id: b, connector: x}\n- connector: x\n  id: a\n",
        ["5: channels[2].id: the same id as channels[0] on line 2; give each channel its own"],
    ),
    "reopen_within": (
        "channels:\n- id: a\n  connector: x\n  reopen_within: 14\n",
        ["4: channels[0].reopen_within: must be a duration; write it such as 14d, 24h or 30m"],
    ),
    # many at once, also where some stand beside what could not be read
    "all at once": (
        "inbox:\n  nam: Acme\nserver: {port: x}\nbots: []\nchannels:\n- id: a\n  connector: !x y\n  id: A\n",
        [
            '2: inbox.nam: unknown key; did you mean "name"?',
            "3: server.port: must be a whole number from 1 to 65535; got text",
            "4: bots: not available in this version; remove it",
            "7: channels[0].connector: the tag !x is not known here; remove it",
            "8: channels[0].id: the same key stands on line 6; remove one of them",
        ],
    ),
}


@pytest.mark.parametrize(("text", "lines"), TABLE.values(), ids=TABLE.keys())
def test_mistakes(mistakes: Mistakes, text: str | bytes, lines: list[str]) -> None:
    assert mistakes(text) == lines
