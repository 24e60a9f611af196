from __future__ import annotations

from msgspec import Struct


class MailChannel(Struct, frozen=True, kw_only=True):
    """What understanding a mail needs to know of the channel it came to.

    Attributes:
        id: the channel's id.
        own: the channel's addresses and aliases, in lower case; none of them is ever the customer.
        form_senders: addresses that contact forms send from, in lower case: the customer stands in Reply-To.
    """

    id: str
    own: frozenset[str]
    form_senders: frozenset[str] = frozenset()
