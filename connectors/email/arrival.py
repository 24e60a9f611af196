"""From a mail that has arrived, by whatever way, to the event that is journaled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from normalizer.mail import event_key
from normalizer.outcomes import Raw
from normalizer.schema import Authenticated

_LARGE = 1024 * 1024


async def arrived(
    body: bytes,
    *,
    address: str,
    at: datetime,
    mail_from: str | None,
    rcpt_to: Sequence[str],
    peer: str | None,
    tls: bool,
    trusted: bool,
    verdicts: Authenticated | None = None,
) -> Raw:
    """The event of a mail.

    One mail is one event, whichever of the channel's addresses it names and however often it comes: hence the key by
    the address that stands for all.

    Args:
        body: the mail as it came.
        address: the channel's own.
        at: when it came.
        mail_from: the envelope's sender; empty for a machine's mail (the null sender), None where it is not known.
        rcpt_to: the envelope's recipients.
        peer: the IP address of the server that handed it over, None where we fetched it.
        tls: whether it came encrypted.
        trusted: whether the `Authentication-Results` in it are those of a server that we believe.
        verdicts: what we found out ourselves of who vouches for it; None where we did not look.
    """
    envelope: dict[str, Any] = {
        "mail_from": mail_from,
        "rcpt_to": list(rcpt_to),
        "peer": peer,
        "tls": tls,
        "trusted": trusted,
    }
    if verdicts is not None:
        envelope["verdicts"] = to_builtins(verdicts)
    return Raw(
        # To digest a large mail takes longer than others can wait.
        key=await asyncio.to_thread(event_key, address, body) if len(body) > _LARGE else event_key(address, body),
        body=body,
        content_type="message/rfc822",
        received_at=at,
        envelope=envelope,
        sender=mail_from.lower() if mail_from else None,
    )
