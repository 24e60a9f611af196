"""Proves `make run`: starts it, does what its screen says, and reads everything back.

The page is there, and the printed password signs in. A mail goes in and is read by the API; it is answered, and the
answer arrives in the outgoing maildir. The second start is timed as well, and tells the same password.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

OUTGOING = Path("santral-data/outgoing/new")
FIRST_START_SECONDS = 120.0
SECOND_START_SECONDS = 10.0  # it takes under 3; a busy machine is no failure
ARRIVES_SECONDS = 30.0


class Run:
    """One `make run`, and what its screen says."""

    def __init__(self, patience: float) -> None:
        """Starts it and waits for the whole screen."""
        self.begun = time.monotonic()
        self._process = subprocess.Popen(
            ["make", "run"],  # noqa: S607 (whichever make there is)
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._done = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._done.wait(patience):
            self.stop()
            sys.exit("make run: no screen within the time")
        self.seconds = time.monotonic() - self.begun
        self.screen = "".join(self._lines)

    def _read(self) -> None:
        assert self._process.stdout is not None  # it was asked for
        for line in self._process.stdout:
            print("   ", line, end="")
            self._lines.append(line)
            if "Ctrl-C" in line:
                self._done.set()

    def find(self, pattern: str) -> str:
        """What the screen says."""
        found = re.search(pattern, self.screen)
        if found is None:
            sys.exit(f"the screen does not say {pattern}")
        return found[1]

    def stop(self) -> None:
        """Ctrl-C, as a person would."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(30)


def call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 (JSON)
    """One call of the API."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (our own)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own)
        return json.load(answer)


def sign_in(url: str, email: str, password: str) -> dict[str, Any]:
    """Who one is after signing in as a browser does, by the cookie that it got."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(url, timeout=10) as page:
        assert page.headers.get_content_type() == "text/html"
    body = json.dumps({"email": email, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    browser.open(urllib.request.Request(f"{url}/api/v1/session", body, headers), timeout=10).close()  # noqa: S310 (our own)
    with browser.open(f"{url}/api/v1/me", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def until(what: str, ask: Any) -> Any:  # noqa: ANN401 (whatever is asked)
    """The first answer that is something."""
    deadline = time.monotonic() + ARRIVES_SECONDS
    while time.monotonic() < deadline:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"{what}: not within {ARRIVES_SECONDS:.0f} s")


def main() -> None:
    """The whole story; ends with an error where a step fails."""
    run = Run(FIRST_START_SECONDS)
    try:
        url = run.find(r"Open (http://[\w.:]+)")
        email, password = run.find(r"email +(\S+)"), run.find(r"password +(\S+)")
        signed_in = sign_in(url, email, password)
        assert (signed_in["email"], signed_in["role"]) == (email, "admin")
        token = run.find(r"TOKEN=(\S+)")
        host, port, address = (run.find(p) for p in (r"smtp://([\w.]+):", r"smtp://[\w.]+:(\d+)", r"--mail-rcpt (\S+)"))
        mark = f"proof-{time.time_ns()}"
        with smtplib.SMTP(host, int(port), timeout=10) as peer:
            peer.sendmail(
                "ada@example.com", [address], f"From: Ada <ada@example.com>\r\nSubject: {mark}\r\n\r\nHello.\r\n"
            )
        listed = f"{url}/api/v1/conversations?limit=1"
        found = until("the mail", lambda: [i for i in call(listed, token)["items"] if i["subject"] == mark])
        messages = f"{url}/api/v1/conversations/{found[0]['id']}/messages"
        call(messages, token, {"text": f"Answer to {mark}"})
        until("the answer", lambda: [p for p in OUTGOING.glob("*") if f"Answer to {mark}" in p.read_text("utf-8")])
        with urllib.request.urlopen(run.find(r"first chat.*: (\S+)"), timeout=10) as page:  # noqa: S310 (our own)
            assert page.status == 200
    finally:
        run.stop()
    again = Run(SECOND_START_SECONDS)
    again.stop()
    assert again.find(r"password +(\S+)") == password
    starts = f"{run.seconds:.1f} s, then {again.seconds:.1f} s"
    print(f"make run: signed in; a mail in, read, answered, arrived; starts: {starts}")


if __name__ == "__main__":
    main()
