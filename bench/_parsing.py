"""From a mail's raw bytes to a finished message: CPU, memory, and what hostile mails do to the event loop.

`python -m bench._parsing FILE` reads one mail in a process of its own and prints what it took, as JSON, `Taken`.
"""

from __future__ import annotations

import email
import email.policy
import resource
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import msgspec

from bench._processes import ROOT
from bench._table import Line
from bench._targets import Santral
from bench._wire import mail
from inbox.ingest.understand import HEAVY_BYTES
from normalizer.effort import TooLongHereError, hurried
from normalizer.mail import MailChannel, normalize
from normalizer.outcomes import Raw
from tests.hostile_mails import HOSTILE

CHANNEL = MailChannel(id="mail", own=frozenset({"support@example.com"}))
TYPICAL = 300
ROUNDS = 7
# The largest that is read in Santral's own process, a large one, and the largest that is taken at all.
SIZES = {"32 KB": 32 * 1024, "1 MB": 1_000_000, "25 MB": 25_000_000}
LIGHT_SECONDS = 0.05
HEAVY_SECONDS = 2.0
MOST_MEGABYTES = 200
MOST_LAG = 50
WORST = 5
QUIET_SECONDS = 5.0
CHILD_SECONDS = 120.0


class Taken(msgspec.Struct, frozen=True):
    """What a mail took: seconds of CPU, by how many MB the largest memory of its process grew, and whether it stayed.

    One that does not stay in Santral's own process was found there to take long, and goes to the reader's.
    """

    seconds: float
    megabytes: float
    stays: bool = True


def lines(santral: Santral, folder: Path) -> list[Line]:
    """All of it."""
    taken = {
        (name, size): _measured(folder, make(octets))
        for size, octets in SIZES.items()
        for name, make in HOSTILE.items()
    }
    return [_typical(), *_hostile(taken), *_lag(santral, taken)]


def _raw(body: bytes) -> Raw:
    return Raw(
        key="k",
        body=body,
        content_type="message/rfc822",
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        envelope={"mail_from": "a@example.com", "rcpt_to": ["support@example.com"]},
    )


def _typical() -> Line:
    """A mail of 4 KB, plain and HTML, beside the time that the standard library takes to parse it and no more."""
    mails = [mail(f"typical-{number}").removesuffix(b".\r\n") for number in range(TYPICAL)]
    raws = list(map(_raw, mails))
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_each(lambda: [normalize(raw, CHANNEL) for raw in raws]))
        theirs.append(_each(lambda: [email.message_from_bytes(one, policy=email.policy.default) for one in mails]))
    share = median(one / other for one, other in zip(ours, theirs, strict=True))
    told = f"{median(ours):.2f} ms of CPU (at most 1), beside {median(theirs):.2f}"
    return Line("a mail of 4 KB to a message / policy.default's parsing", told, share, good=median(ours) <= 1)


def _each(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000 / TYPICAL


def _measured(folder: Path, body: bytes) -> Taken:
    path = folder / "hostile.eml"
    path.write_bytes(body)
    command = [sys.executable, "-m", "bench._parsing", str(path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=CHILD_SECONDS)
    return msgspec.json.decode(done.stdout, type=Taken)


def _hostile(taken: dict[tuple[str, str], Taken]) -> Iterator[Line]:
    for size in SIZES:
        of_size = {name: found for (name, its_size), found in taken.items() if its_size == size}
        slow = max(of_size, key=lambda name: of_size[name].seconds)
        large = max(of_size, key=lambda name: of_size[name].megabytes)
        seconds, megabytes = of_size[slow].seconds, of_size[large].megabytes
        most = LIGHT_SECONDS if size == min(SIZES, key=SIZES.__getitem__) else HEAVY_SECONDS
        told = f"{seconds * 1000:,.0f} ms of CPU ({slow}; under {most * 1000:,.0f})"
        yield Line(f"the slowest of {len(of_size)} hostile mails of {size}", told, good=seconds < most)
        told = f"{megabytes:.0f} MB more ({large}; under {MOST_MEGABYTES})"
        yield Line("  the one that takes most memory", told, good=megabytes < MOST_MEGABYTES)
        if away := sum(not found.stays for found in of_size.values()):
            yield Line("  given to the reader's process, whose time is not counted here", str(away))


def _lag(santral: Santral, taken: dict[tuple[str, str], Taken]) -> Iterator[Line]:
    """How late `/healthz` answers while hostile mails come in: all small ones, and the worst of the larger ones."""
    with _asked(santral.http_port) as quiet:
        time.sleep(QUIET_SECONDS)
    yield _lag_line("an answer while nothing happens", quiet, good=None)
    for size, octets in SIZES.items():
        names = sorted(HOSTILE, key=lambda name: taken[name, size].seconds)
        chosen = names if size == min(SIZES, key=SIZES.__getitem__) else names[-WORST:]
        mails = [_own(HOSTILE[name](octets - 100), f"{octets}-{number}") for number, name in enumerate(chosen)]
        before = santral.stored
        with _asked(santral.http_port) as lags, smtplib.SMTP("127.0.0.1", santral.smtp_port, timeout=60) as smtp:
            for body in mails:
                smtp.sendmail("a@example.com", ["support@example.com"], body)
            santral.stored_at(before + len(mails))
        yield _lag_line(f"  while {len(mails)} hostile mails of {size} are read", lags, good=max(lags) <= MOST_LAG)


def _own(body: bytes, name: str) -> bytes:
    """The mail under an id of its own, with line ends that SMTP allows."""
    return f"Message-ID: <{name}@hostile.example>\r\n".encode() + body


def _lag_line(what: str, lags: list[float], *, good: bool | None) -> Line:
    p99 = quantiles(lags, n=100)[98]
    bound = "" if good is None else f"; at most {MOST_LAG}"
    return Line(what, f"p99 {p99:.1f} ms, at most {max(lags):.1f} ({len(lags)} times{bound})", good=good)


@contextmanager
def _asked(port: int) -> Iterator[list[float]]:
    """The milliseconds that each answer took; they are there after the block."""
    found: list[float] = []
    command = [sys.executable, "-m", "bench._lag", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield found
        finally:
            out, _ = process.communicate(timeout=CHILD_SECONDS)
        found += msgspec.json.decode(out, type=list[float])


def _read(path: Path) -> Taken:
    normalize(_raw(mail("warm-0")), CHANNEL)
    raw = _raw(path.read_bytes())
    memory, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    stays = False
    with suppress(TooLongHereError), hurried() if len(raw.body) <= HEAVY_BYTES else nullcontext():
        normalize(raw, CHANNEL)
        stays = True
    cpu, grown = time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    return Taken(cpu, grown / 1024, stays)


if __name__ == "__main__":
    print(msgspec.json.encode(_read(Path(sys.argv[1]))).decode())
