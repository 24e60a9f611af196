"""SPF, DKIM and DMARC (RFC 7208, 6376, 7489) of a mail that comes straight from the internet.

They say who vouches for the address in From. Nothing is refused by them: a forged mail is shown as one. Where the DNS
does not answer in time, the mail is taken without them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import local
from typing import Any

import dns.exception
import dns.resolver
import spf
from publicsuffixlist import PublicSuffixList

from connectors.email.dkim_in import AwayError, Signature, read_tags, signatures
from normalizer.mail import from_domain
from normalizer.schema import Authenticated

SECONDS = 5.0  # for all of it: so long a mail waits for the DNS
_LOOK_UP_SECONDS = 2.5
_THREADS = 8
_UNKNOWN = Authenticated(spf="temperror", dkim="temperror", dmarc="temperror")


_VALUES: Mapping[str, Callable[[Any], Any]] = {  # of a record, as pyspf wants it
    "A": lambda record: record.address,
    "AAAA": lambda record: record.address,
    "MX": lambda record: (record.preference, record.exchange.to_text(omit_final_dot=True)),
    "PTR": lambda record: record.target.to_text(omit_final_dot=True),
    "TXT": lambda record: record.strings,
    "SPF": lambda record: record.strings,
}


class Verifier:
    """Asks the DNS who vouches for a mail."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        """`resolver`: the machine's own by default."""
        self._resolver = resolver or _machines_own()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail-verdicts")

    async def verdicts(self, mail: bytes, *, peer: str, helo: str, mail_from: str) -> Authenticated:
        """What SPF, DKIM and DMARC say of a mail that `peer`, an IP address, hands over.

        Args:
            mail: as it came.
            peer: the client's address.
            helo: the name by which it greeted.
            mail_from: the envelope's sender; empty for the null sender, of which `helo` is asked.
        """
        loop = asyncio.get_running_loop()
        judging = loop.run_in_executor(self._threads, self._judge, mail, peer, helo, mail_from)
        try:
            return await asyncio.wait_for(judging, SECONDS)
        except TimeoutError:
            return _UNKNOWN

    def close(self) -> None:
        """Lets the threads go; what they still ask is of no use any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _judge(self, mail: bytes, peer: str, helo: str, mail_from: str) -> Authenticated:
        questions = _Dns(self._resolver)
        spf_result, spf_domain = questions.spf(peer, helo, mail_from)
        signed = signatures(mail, questions.txt, time.time())
        author = from_domain(mail)
        dmarc = questions.dmarc(author, spf_domain if spf_result == "pass" else None, signed) if author else "permerror"
        return Authenticated(spf=spf_result, dkim=_best(signed), dmarc=dmarc)


@cache
def _machines_own() -> dns.resolver.Resolver:
    try:
        made = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        made = dns.resolver.Resolver(configure=False)
    made.cache = dns.resolver.LRUCache(10_000)
    return made


class _Dns:
    """One mail's questions."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver

    def txt(self, name: str) -> list[str]:
        """The TXT records of a name.

        Raises:
            AwayError: the DNS does not answer.
        """
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self.ask(name, "TXT")]

    def spf(self, peer: str, helo: str, mail_from: str) -> tuple[str, str]:
        """The result, and the domain that it is about."""
        _current.dns = self
        try:
            result, _ = spf.check2(i=peer, s=mail_from, h=helo, querytime=SECONDS)
        except AwayError:
            result = "temperror"
        except Exception:  # noqa: BLE001 (pyspf raises what it likes, UnicodeError among it, for names of strangers)
            result = "permerror"
        return str(result), (mail_from.rpartition("@")[2] or helo).lower().rstrip(".")

    def dmarc(self, author: str, spf_domain: str | None, signed: Sequence[Signature]) -> str:
        """RFC 7489, section 6.6.2: one of the two must pass for a domain that is aligned with that of From."""
        try:
            policy = self._policy(author)
        except AwayError:
            return "temperror"
        if policy is None:
            return "none"
        passed = [one.domain for one in signed if one.result == "pass"]
        if any(_aligned(domain, author, strict=policy.get("adkim") == "s") for domain in passed):
            return "pass"
        if spf_domain and _aligned(spf_domain, author, strict=policy.get("aspf") == "s"):
            return "pass"
        return "temperror" if any(one.result == "temperror" for one in signed) else "fail"

    def _policy(self, author: str) -> dict[str, str] | None:
        for domain in dict.fromkeys((author, _organization(author))):
            told = (text.strip().lower() for text in self.txt(f"_dmarc.{domain}"))
            found = [text for text in told if text.startswith("v=dmarc1")]
            if len(found) == 1:
                return read_tags(found[0])
        return None

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records of a name; none where there is no such name.

        Raises:
            AwayError: the DNS does not answer.
        """
        try:
            return list(self._resolver.resolve(name, kind, lifetime=_LOOK_UP_SECONDS, search=False))
        except (dns.resolver.NoNameservers, dns.exception.Timeout, OSError) as error:
            raise AwayError(name) from error
        except (dns.exception.DNSException, UnicodeError):
            return []  # no such name, or one that can be none


def _for_spf(name: str, kind: str, _strict: bool = True, _timeout: float = 0) -> list[tuple[tuple[str, str], Any]]:  # noqa: FBT001, FBT002
    """What pyspf looks up by: its own way asks the machine's resolver by a call that dnspython has given up."""
    return [((name, kind), _VALUES[kind](record)) for record in _current.dns.ask(name, kind)]


spf.DNSLookup = _for_spf
_current = local()  # each thread asks for one mail at a time


def _best(signed: Sequence[Signature]) -> str:
    """One word for all signatures: that of the best."""
    results = {one.result for one in signed}
    return next((word for word in ("pass", "temperror", "fail", "permerror") if word in results), "none")


def _organization(domain: str) -> str:
    """What somebody has registered (RFC 7489, section 3.2): `example.com.tr` of `mail.example.com.tr`."""
    return _suffixes().privatesuffix(domain) or domain


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # a tenth of a second, which no start need wait for


def _aligned(domain: str, author: str, *, strict: bool) -> bool:
    return domain == author or (not strict and _organization(domain) == _organization(author))
