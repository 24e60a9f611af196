"""Counting: whether everything that the clients remember is there, once, in order, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from itertools import pairwise
from typing import Any

from harness import Desk

from rig.chronicle import Chronicle
from rig.ledger import Ledger, Reply, Said
from rig.platforms import CourierPlatform, MailSink

Messages = list[dict[str, Any]]

AT_ONCE = 8  # downloads
LONGEST_DOUBT = 30.0  # seconds: a Santral stopped before its mail server has taken a mail may end the transaction later


class Verdict:
    """Compares the ledger with what the API shows and with what the platforms remember.

    `counts` is what the table at the end says; what is wrong is told to the chronicle.
    """

    def __init__(self, chronicle: Chronicle, ledger: Ledger, stored: dict[str, Messages]) -> None:
        """`stored`: every message that the API shows, by conversation."""
        self.counts: Counter[str] = Counter()
        self._chronicle = chronicle
        self._ledger = ledger
        self._stored = stored
        self.counts["conversations"] = len(stored)
        self.counts["messages stored"] = sum(len(messages) for messages in stored.values())

    def numbers(self) -> None:
        """`seq` is 1 to n in every conversation."""
        for id_, messages in self._stored.items():
            seqs = [one["seq"] for one in messages]
            if seqs != list(range(1, len(seqs) + 1)):
                self._fault(f"conversation {id_}: its seq are {seqs}")

    def acknowledged(self) -> None:
        """Each sender's messages: once, in order, in one conversation; and nobody else's."""
        homes: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for id_, messages in self._stored.items():
            for one in messages:
                if one["direction"] == "inbound":
                    homes.setdefault(one["text"].rpartition("-")[0], []).append((id_, one))
        for stranger in homes.keys() - self._ledger.said.keys():
            self._fault(f"nobody is called {stranger!r}, and wrote {len(homes[stranger])} messages")
        for sender, said in self._ledger.said.items():
            self.counts["messages acknowledged"] += len(said)
            self.counts["said again before it was acknowledged"] += sum(one.tries - 1 for one in said)
            self._of_sender(sender, said, homes.get(sender, []))

    def _of_sender(self, sender: str, said: list[Said], found: list[tuple[str, dict[str, Any]]]) -> None:
        if len(conversations := {id_ for id_, _ in found}) > 1:
            self._fault(f"{sender} is torn over {len(conversations)} conversations: {sorted(conversations)}")
        times = Counter(one["text"] for _, one in found)
        for one in said:
            if times[one.text] != 1:
                what = f"{one.text} is there {times[one.text]} times" if times[one.text] else f"{one.text} is LOST"
                self._fault(f"{what} (taken by santral {one.via}, at try {one.tries})", one.at)
        place = {one["text"]: one["seq"] for _, one in found}
        for earlier, later in pairwise(said):
            if place.get(earlier.text, 0) > place.get(later.text, 1 << 60):
                self._fault(
                    f"{later.text} (santral {later.via}, {later.at:.1f} s) stands before {earlier.text}"
                    f" (santral {earlier.via})",
                    earlier.at,
                )

    async def bytes_of(self, desk: Desk) -> None:
        """Originals and attachments, byte for byte."""
        said = {one.text: one for messages in self._ledger.said.values() for one in messages}
        stored = (message for messages in self._stored.values() for message in messages)
        inbound = (message for message in stored if message["direction"] == "inbound" and message["text"] in said)

        async def compare() -> None:
            for message in inbound:
                await self._bytes(desk, said[message["text"]], message)

        await asyncio.gather(*(compare() for _ in range(AT_ONCE)))

    async def _bytes(self, desk: Desk, said: Said, message: dict[str, Any]) -> None:
        if said.original is not None:
            self.counts["originals compared"] += 1
            if await _digest(desk, f"/api/v1/messages/{message['id']}/original") != said.original:
                self._fault(f"the original of {said.text} is another", said.at)
        shown = {one["filename"]: one for one in message["attachments"]}
        if shown.keys() != said.files.keys() or len(message["attachments"]) != len(said.files):
            self._fault(f"{said.text} has the files {sorted(shown)} instead of {sorted(said.files)}", said.at)
            return
        for name, digest in said.files.items():
            self.counts["attachments compared"] += 1
            fetched = await _digest(desk, f"/api/v1/attachments/{shown[name]['id']}")
            if not digest == fetched == shown[name]["sha256"]:
                self._fault(f"the file {name} of {said.text} is another", said.at)

    def replies(self, mails: MailSink, courier: CourierPlatform, domain: str) -> None:
        """Each reply that was taken: stored once, sent once, or shown as what it is."""
        stored = {one["id"]: one for found in self._stored.values() for one in found if one["direction"] == "outbound"}
        twice = Counter((one["conversation_id"], one["text"]) for one in stored.values())
        for (conversation, text), times in twice.items():
            if times > 1:
                self._fault(f"the reply {text!r} stands {times} times in {conversation}")
        for id_ in stored.keys() - self._ledger.replies.keys():
            self._fault(f"the reply {stored[id_]['text']!r} was never taken")
        for reply in self._ledger.replies.values():
            self.counts["replies taken"] += 1
            message = stored.get(reply.id)
            if message is None:
                self._fault(f"the reply {reply.text!r} is LOST", reply.at)
                continue
            state = str(message["delivery"]["state"])
            self.counts[f"{reply.channel} replies {state}"] += 1
            match reply.channel:
                case "mail":
                    self._mailed(reply, state, mails.taken.get(f"<{reply.id}@{domain}>", []))
                case "courier":
                    self._carried(reply, state, courier)
                case "site":
                    self._shown(reply, state, str(message["conversation_id"]))

    def replies_in_order(self, mails: MailSink, courier: CourierPlatform, domain: str) -> None:
        """Within a conversation replies were first taken in their order; where that is not known, they are left out."""
        for messages in self._stored.values():
            newest = 0.0
            for one in messages:
                if one["direction"] != "outbound" or one["delivery"]["state"] != "sent":
                    continue
                pieces = [mails.taken.get(f"<{one['id']}@{domain}>", [])]
                if one["channel"] == "courier":
                    pieces = [courier.taken.get((one["id"], n), []) for n in range(len(one["text"].splitlines()))]
                for taken in filter(None, pieces):
                    if taken[0] < newest:
                        self._fault(f"the reply {one['id']} left before an earlier one of its conversation", taken[0])
                    newest = taken[0]

    def _mailed(self, reply: Reply, state: str, taken: list[float]) -> None:
        """A mail comes once more only where a Santral was killed or stopped when it had just been sent."""
        self.counts["mail replies that came twice under one Message-ID"] += len(taken) == 2
        self.counts["mail replies that came more often"] += len(taken) > 2
        harms = [at for kind in ("kill santral", "stop santral") for at in self._chronicle.harms[kind]]
        excuses = [at for at in harms if taken and taken[0] - LONGEST_DOUBT < at < taken[-1]]
        if state != "sent" or not 1 <= len(taken) <= 1 + len(excuses):
            self._fault(f"the mail reply {reply.id} is {state} and came at {_times(taken)}", reply.at)

    def _carried(self, reply: Reply, state: str, courier: CourierPlatform) -> None:
        for number, line in enumerate(reply.text.splitlines()):
            taken = courier.taken.get((reply.id, number), [])
            least = 1 if state == "sent" else 0
            wrong_text = courier.texts.get((reply.id, number), Counter()).keys() - {line}
            if state not in ("sent", "unknown") or not least <= len(taken) <= 1 or wrong_text:
                self._fault(f"piece {number} of the reply {reply.id} is {state} and came at {_times(taken)}", reply.at)
            self.counts["courier pieces that came"] += len(taken)

    def _shown(self, reply: Reply, state: str, conversation: str) -> None:
        texts = [one["text"] for one in self._stored[conversation] if one["direction"] == "inbound"]
        visitor = self._ledger.visitors.get(texts[0].rpartition("-")[0]) if texts else None
        if visitor is None or reply.id not in visitor.shown:
            self._fault(f"the reply {reply.id} is {state} and no visitor ever saw it", reply.at)

    def streams(self, log: list[str]) -> None:
        """Each stream saw the event log: everything once, in one order."""
        self.counts["events in the log"] = len(log)
        for stream in self._ledger.streams:
            self.counts["events seen by all streams"] += len(stream.seen)
            self.counts["times a stream was broken off and resumed"] += stream.breaks
            if stream.seen == log:
                continue
            doubled = [id_ for id_, times in Counter(stream.seen).items() if times > 1]
            missed = sorted(set(log) - set(stream.seen))
            unknown = sorted(set(stream.seen) - set(log))
            self._fault(f"{stream.name} saw twice {doubled[:5]}, missed {missed[:5]}, saw alone {unknown[:5]}")

    def _fault(self, text: str, at: float | None = None) -> None:
        self._chronicle.fault(text, at)


def _times(taken: list[float]) -> str:
    return ", ".join(f"{at:.1f} s" for at in taken) or "no time"


async def _digest(desk: Desk, path: str) -> str:
    async with desk.http.get(path) as answer:
        content = await answer.read()
        return hashlib.sha256(content).hexdigest() if answer.status == 200 else f"{answer.status}: {content!r}"
