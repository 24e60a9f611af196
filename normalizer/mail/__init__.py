"""What a mail means: from its bytes to a message of the schema. `normalize` takes any bytes and never raises."""

from __future__ import annotations

from normalizer.mail.channel import MailChannel
from normalizer.mail.dedup import event_key, without_fields
from normalizer.mail.machine import LOOP_HEADER
from normalizer.mail.message import normalize
from normalizer.mail.people import from_domain, return_path

__all__ = ["LOOP_HEADER", "MailChannel", "event_key", "from_domain", "normalize", "return_path", "without_fields"]
