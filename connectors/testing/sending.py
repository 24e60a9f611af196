"""Checks of the way out: a send never lies, never doubles what it is told was done, and can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from connectors.base import Amendment, Receipt, Reply
from connectors.errors import ConnectorError, LeaseLostError, PermanentError, TemporaryError, UncertainError
from connectors.testing.finding import FaultError
from connectors.testing.memory import MemoryFiles
from connectors.testing.proof import NotMadeError, Proof, Trouble
from connectors.testing.stage import Stage, on_stage
from normalizer.outcomes import DeliveryUpdate, Draft
from normalizer.schema import Attachment, Author, Delivery, External, Message

LOOK = "send"
LARGEST_FILE = 1 << 20  # a file of this size is sent where the platform takes larger ones
LONGEST_TEXT = 200_000
WRITTEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ANSWER = "It left our house this morning."
CORRECTION = "It left our house yesterday."
EXPECTED: dict[Trouble, type[ConnectorError]] = {
    "temporary": TemporaryError,
    "permanent": PermanentError,
    "uncertain": UncertainError,
}


def _reply(
    proof: Proof, text: str = ANSWER, *, id_: str = "reply-1", to: tuple[str, ...] = (), files: Mapping[str, bytes] = {}
) -> Reply:
    shelf = MemoryFiles(**files)
    attachments: tuple[Attachment, ...] = tuple(one for one, _, _ in shelf.kept.values())
    message = Message(
        id=id_,
        direction="outbound",
        author=Author(type="agent", id="agent-1", name="Ayşe"),
        text=text,
        attachments=attachments,
        created_at=WRITTEN,
        delivery=Delivery(state="sending", attempts=1),
    )
    return Reply(message=message, person=proof.person, files=shelf, thread_key=proof.thread_key, to=to)


def _sends(proof: Proof) -> None:
    if proof.connector.capabilities.pull:
        raise NotMadeError("it declares `pull`: its recipients fetch their replies")


async def _send(stage: Stage, reply: Reply, done: Sequence[Receipt] = ()) -> list[Receipt]:
    async def all_of_it() -> list[Receipt]:
        async with aclosing(stage.connector.send(reply, done)) as receipts:
            return [receipt async for receipt in receipts]

    return await stage.within(all_of_it(), f"`send` did not end within {stage.patience:g} s", LOOK)


def _arrived(stage: Stage) -> int:
    return len(stage.platform.sent())


async def receipts_come_first(proof: Proof, patience: float) -> None:
    """Each piece's receipt is given before the next piece leaves, and every piece has one."""
    _sends(proof)
    async with on_stage(proof, patience, started=False) as stage:
        given: list[Receipt] = []
        async with aclosing(stage.connector.send(_long(proof), ())) as receipts:
            while True:
                late = f"`send` gave no receipt within {patience:g} s"
                receipt = await stage.within(anext(receipts, None), late, LOOK)
                if receipt is None:
                    break
                given.append(receipt)
                if not receipt.external_id:
                    raise FaultError(
                        "a receipt has no external id: nothing that the platform tells of it could be found", LOOK
                    )
                if _arrived(stage) > len(given):
                    raise FaultError(
                        f"piece {_arrived(stage)} left before the receipt of piece {len(given)} was given: "
                        "a crash between them would send it twice",
                        LOOK,
                    )
        if not _arrived(stage):
            raise FaultError("`send` returned quietly, and nothing arrived at the platform", LOOK)
        if not given:
            raise FaultError("`send` gave no receipt for what arrived at the platform", LOOK)
        if len({receipt.piece for receipt in given}) != len(given):
            raise FaultError(f"several receipts have the same `piece`: {[receipt.piece for receipt in given]}", LOOK)


def _long(proof: Proof, id_: str = "reply-1") -> Reply:
    """A reply of as many pieces as the platform may make of it."""
    can = proof.connector.capabilities
    files = {"file-1": b"one\n", "file-2": b"two\n"} if can.attachment_limit else {}
    return _reply(proof, _words(min(can.text_limit or 1000, LONGEST_TEXT)), id_=id_, files=files)


async def pieces_are_resumed(proof: Proof, patience: float) -> None:
    """What is `done` is not sent again, and the rest has the same names as before."""
    _sends(proof)
    to = proof.recipients if proof.connector.capabilities.recipients else ()
    reply = _long(proof) if not to else _reply(proof, to=to)
    async with on_stage(proof, patience, started=False) as stage:
        whole = await _send(stage, reply)
        total = _arrived(stage)
    for count in range(1, len(whole) + 1):
        async with on_stage(proof, patience, started=False) as stage:
            rest = await _send(stage, reply, whole[:count])
            names = [receipt.piece for receipt in rest]
            expected = [receipt.piece for receipt in whole[count:]]
            if _arrived(stage) > total - count or set(names) & {receipt.piece for receipt in whole[:count]}:
                raise FaultError(
                    f"{count} of {len(whole)} pieces were `done`, and it sent {_arrived(stage)} instead of "
                    f"{total - count}: a customer gets them twice",
                    LOOK,
                )
            if names != expected:
                raise FaultError(f"a second try names its pieces {names}, the first named them {expected}", LOOK)


async def rates_are_kept(proof: Proof, patience: float) -> None:
    """Where `rates` are declared, each piece waits for its turn, which the inbox gives by `Reply.pace`."""
    _sends(proof)
    if not proof.connector.capabilities.rates:
        raise NotMadeError("it declares no `rates`")
    turns = 0

    async def pace() -> None:
        nonlocal turns
        turns += 1

    async with on_stage(proof, patience, started=False) as stage:
        await _send(stage, replace(_long(proof), pace=pace))
        if _arrived(stage) > turns:
            raise FaultError(
                f"it declares `rates`, and sent {_arrived(stage)} pieces but awaited `reply.pace()` {turns} times: "
                "await it before each",
                LOOK,
            )


async def recipients_are_reached(proof: Proof, patience: float) -> None:
    """A reply to several addresses reaches each, with a receipt for each."""
    if not proof.connector.capabilities.recipients:
        raise NotMadeError("it declares no `recipients`")
    if len(proof.recipients) < 2:
        raise NotMadeError("its proof names no two `recipients`")
    async with on_stage(proof, patience, started=False) as stage:
        receipts = await _send(stage, _reply(proof, to=proof.recipients))
        told = {receipt.recipient.address for receipt in receipts if receipt.recipient}
        reached = {one.recipient for one in stage.platform.sent()}
        if told != set(proof.recipients) or reached != told:
            raise FaultError(f"a reply to {proof.recipients} reached {reached}, with receipts for {told}", LOOK)


def failing(how: Trouble) -> Any:  # noqa: ANN401 (a check)
    """The check that a send which fails like this raises the right error."""

    async def check(proof: Proof, patience: float) -> None:
        _sends(proof)
        async with on_stage(proof, patience, started=False) as stage:
            stage.platform.fail(how)
            expected = EXPECTED[how]
            try:
                receipts = await _send(stage, _reply(proof))
            except expected as error:
                if isinstance(error, LeaseLostError) or not error.reason:
                    raise FaultError(
                        f"a {how} failure of the platform has no `reason` for an agent to read", LOOK
                    ) from error
            except FaultError:
                raise
            except Exception as error:
                raise FaultError(
                    f"a {how} failure of the platform raised {type(error).__name__}, not {expected.__name__}", LOOK
                ) from error
            else:
                raise FaultError(
                    f"a {how} failure of the platform was swallowed: "
                    f"`send` returned quietly with {len(receipts)} receipts",
                    LOOK,
                )
            stage.platform.fail(None)
            if how == "temporary" and not await _send(stage, _reply(proof)):
                raise FaultError("after a temporary failure a second try sends nothing", LOOK)

    return check


async def can_be_cancelled(proof: Proof, patience: float) -> None:
    """A send that hangs ends when it is cancelled, and the next one works."""
    _sends(proof)
    async with on_stage(proof, patience, started=False) as stage:
        stage.platform.fail("hang")
        sending = asyncio.ensure_future(_send(stage, _reply(proof)))
        try:
            late = "a send never reached the platform, which was to let it hang"
            await stage.within(stage.platform.holding(), late, LOOK)
            sending.cancel()
            await asyncio.wait((sending,), timeout=patience)
            if not sending.done():
                raise FaultError(f"a send that was cancelled goes on for {patience:g} s", LOOK)
            if not sending.cancelled():
                raise FaultError(f"a send swallowed its cancellation and ended with {_ending(sending)}", LOOK)
        finally:
            sending.cancel()
            stage.platform.fail(None)
        if not await _send(stage, _reply(proof, id_="reply-2")):
            raise FaultError("after a send that was cancelled the next one sends nothing", LOOK)


def _ending(task: asyncio.Future[list[Receipt]]) -> str:
    error = task.exception()
    return repr(error) if error else f"{len(task.result())} receipts"


async def longest_text_goes(proof: Proof, patience: float) -> None:
    """A reply of `text_limit` characters arrives whole."""
    _sends(proof)
    limit = proof.connector.capabilities.text_limit
    if limit is None:
        raise NotMadeError("it declares no `text_limit`")
    async with on_stage(proof, patience, started=False) as stage:
        text = _words(min(limit, LONGEST_TEXT))
        await _declared(_send(stage, _reply(proof, text)), f"a reply of {len(text)} characters")
        arrived = "".join(one.text for one in stage.platform.sent())
        if "".join(text.split()) not in "".join(arrived.split()):
            raise FaultError(
                f"it declares a `text_limit` of {limit}, and of {len(text)} characters {len(arrived)} arrived",
                "capabilities",
            )


async def files_go(proof: Proof, patience: float) -> None:
    """A file within `attachment_limit` arrives byte for byte."""
    _sends(proof)
    limit = proof.connector.capabilities.attachment_limit
    if not limit:
        raise NotMadeError("it declares that files cannot be sent (`attachment_limit` 0)")
    async with on_stage(proof, patience, started=False) as stage:
        content = bytes(range(256)) * (min(limit, LARGEST_FILE) // 256) or b"x"
        await _declared(_send(stage, _reply(proof, files={"file": content})), f"a file of {len(content)} bytes")
        if content not in [file for one in stage.platform.sent() for file in one.files]:
            raise FaultError(
                f"it declares an `attachment_limit` of {limit}, and a file of {len(content)} bytes did not arrive",
                "capabilities",
            )


async def _declared(sending: Any, what: str) -> None:  # noqa: ANN401 (a coroutine of receipts)
    try:
        await sending
    except ConnectorError as error:
        raise FaultError(
            f"{what} is within what it declares, and cannot be sent: {error.reason}", "capabilities"
        ) from error


async def twice_is_once(proof: Proof, patience: float) -> None:
    """Where `idempotent_send` is declared, the platform can tell that a second send is the same."""
    _sends(proof)
    if not proof.connector.capabilities.idempotent_send:
        raise NotMadeError("it declares no `idempotent_send`")
    async with on_stage(proof, patience, started=False) as stage:
        for _ in range(2):
            await _send(stage, _reply(proof))
        marks = {one.mark for one in stage.platform.sent()}
        if len(marks) != 1 or None in marks:
            raise FaultError(
                f"it declares `idempotent_send`, and a second send bears another mark: {sorted(map(str, marks))}", LOOK
            )


async def replies_are_fetched(proof: Proof, patience: float) -> None:
    """Where `pull` is declared, a reply in the feed arrives, and is told of as `delivered`."""
    if not proof.connector.capabilities.pull:
        raise NotMadeError("it declares no `pull`: the outbox calls `send`")
    async with on_stage(proof, patience) as stage:
        await stage.within(stage.platform.say(stage.door, "proof-1", "Hello"), "a message was not taken", "start")
        keys = [key for one in stage.understood() if isinstance(one, Draft) for key in one.keys]
        if not keys:
            raise FaultError("it declares `pull`, and its drafts have no thread key to fetch replies by", "normalize")
        reply = await stage.context.reply(keys[0], ANSWER)
        await stage.until(
            lambda: any(ANSWER in one.text for one in stage.platform.sent()),
            "a reply in the feed never arrived",
            "start",
        )
        await stage.until(
            lambda: reply.id in {one.message_id for one in stage.understood() if isinstance(one, DeliveryUpdate)},
            "a reply arrived, and no `DeliveryUpdate` says so: it would be `waiting` for ever",
            "start",
        )
        try:
            receipts = await _send(stage, _reply(proof))
        except PermanentError:
            return
        raise FaultError(f"it declares `pull`, and `send` returned quietly with {len(receipts)} receipts", LOOK)


async def sent_is_amended(proof: Proof, patience: float) -> None:
    """Where `amends` declares it, a reply that has left gets another text, and is taken back."""
    able = proof.connector.capabilities
    if not able.amends or able.pull:
        raise NotMadeError("it declares no `amends`, or its recipients fetch what was changed")
    async with on_stage(proof, patience, started=False) as stage:
        reply = _reply(proof)
        receipts = await _send(stage, reply)
        ids = tuple(id_ for receipt in receipts for id_ in (receipt.external_id, *receipt.others))
        external = External(id=ids[0], ids=ids, thread_key=proof.thread_key or proof.person.value)
        before = replace(reply.message, external=external)
        for kind, text in (("edit", CORRECTION), ("edit", CORRECTION), ("delete", ""), ("delete", "")):
            if kind in able.amends:
                after = replace(before, text=text or before.text)
                amending = stage.connector.amend(Amendment(kind=kind, message=after, before=before))
                await stage.within(amending, f"`amend` did not end within {patience:g} s", "amend")
                _stands(stage, text, kind)
                before = after


def _stands(stage: Stage, text: str, kind: str) -> None:
    found = [one.text for one in stage.platform.sent()]
    if found != ([text] if text else []):
        raise FaultError(f"it declares `amends`, and after `{kind}` its recipient reads {found}", "amend")


def _words(length: int) -> str:
    """So many characters of numbered words, so that what is missing shows."""
    words: list[str] = []
    left = length
    while left > 0:
        word = f"word{len(words)} "
        words.append(word[:left])
        left -= len(word)
    return "".join(words)[:-1] + "." if length > 1 else "x"
