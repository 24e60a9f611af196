"""Replies that do not leave at once: what is tried again, what fails, and of what nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from harness import PATIENCE, eventually
from outbox_office import Office
from postbox import CHANNEL

from connectors.base import Reply
from connectors.errors import PermanentError, TemporaryError, UncertainError
from inbox import delivery
from inbox.errors import RefusedError


async def test_a_temporary_error_waits_as_long_as_the_platform_asks_and_holds_its_lane(office: Office) -> None:
    conversation = await office.conversation()
    first, second = await office.reply(conversation, "one"), await office.reply(conversation, "two")
    office.platform.trouble = [TemporaryError("slow down", retry_after=600, code="429")]
    async with office.working():
        waiting = await office.until_error(first)
        assert waiting.next_attempt_at is not None
        assert timedelta(seconds=600 - PATIENCE) < waiting.next_attempt_at - datetime.now(UTC) <= timedelta(seconds=600)
        assert waiting.error is not None
        assert (waiting.error.code, waiting.error.text, waiting.error.temporary) == ("429", "slow down", True)
        assert (await office.delivery(second)).state == "queued"
        await office.hurry(first)
        sent = await office.until(second, "sent")
    assert sent.attempts == 1
    assert (await office.delivery(first)).attempts == 2
    assert (await office.delivery(first)).error is None
    assert [one for one, _ in office.platform.taken] == [first, second]


async def test_pieces_go_on_after_the_last_receipt(office: Office) -> None:
    office.platform.pieces = 3
    id_ = await office.reply(await office.conversation())
    taken: list[BaseException] = []
    office.platform.trouble = taken
    original = office.platform.take

    async def take(reply: Reply, number: int) -> str:
        if number == 2 and not taken and len(office.platform.replies) == 1:
            raise TemporaryError("the line broke")
        return await original(reply, number)

    office.platform.take = take  # type: ignore[method-assign]
    async with office.working():
        await office.until_error(id_)
        await office.hurry(id_)
        await office.until(id_, "sent")
    assert office.platform.taken == [(id_, 0), (id_, 1), (id_, 2)]
    assert (await office.message(id_)).external.ids == (f"{id_}/0", f"{id_}/1", f"{id_}/2")


async def test_a_permanent_error_fails_readably_and_holds_up_nobody(office: Office) -> None:
    conversation = await office.conversation()
    office.platform.trouble = [PermanentError("this person has blocked us \ud800", code="blocked")]
    bad, good = await office.reply(conversation, "bad"), await office.reply(conversation, "good")
    async with office.working():
        failed = await office.until(bad, "failed")
        await office.until(good, "sent")
    assert failed.error is not None
    assert (failed.error.code, failed.error.text, failed.error.temporary) == (
        "blocked",
        "this person has blocked us �",
        False,
    )
    assert failed.next_attempt_at is None


async def test_a_failed_reply_goes_out_again_when_an_agent_says_so(office: Office) -> None:
    office.platform.trouble = [PermanentError("no")]
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "failed")
        again = await office.replies.retry(id_)
        assert again.delivery is not None
        assert (again.delivery.state, again.delivery.error) == ("queued", None)
        await office.until(id_, "sent")
    with pytest.raises(RefusedError) as refused:
        await office.replies.retry(id_)
    assert refused.value.code == "not-retryable"


async def test_where_nobody_knows_it_is_unknown_and_may_be_tried_again(office: Office) -> None:
    conversation = await office.conversation()
    office.platform.trouble = [UncertainError("the line broke after the last byte")]
    id_, next_ = await office.reply(conversation), await office.reply(conversation, "next")
    async with office.working():
        unknown = await office.until(id_, "unknown")
        await office.until(next_, "sent")
        assert unknown.error is not None
        assert unknown.error.text == "the line broke after the last byte"
        await office.replies.retry(id_)
        await office.until(id_, "sent")


async def test_where_twice_shows_once_nobody_has_to_know(sure: Office) -> None:
    sure.platform.trouble = [UncertainError("the line broke")]
    id_ = await sure.reply(await sure.conversation())
    async with sure.working():
        await sure.until_error(id_)
        await sure.hurry(id_)
        await sure.until(id_, "sent")


async def test_what_the_connector_did_not_foresee_is_tried_again_up_to_a_cap(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.trouble = [ZeroDivisionError("secret detail") for _ in range(delivery.MAX_ATTEMPTS)]
    async with office.working():
        for attempt in range(1, delivery.MAX_ATTEMPTS):

            async def tried(attempt: int = attempt) -> bool:
                found = await office.delivery(id_)
                return found.state == "queued" and found.attempts == attempt

            await eventually(tried)
            await office.hurry(id_)
        failed = await office.until(id_, "failed")
    assert failed.attempts == delivery.MAX_ATTEMPTS
    assert failed.error is not None
    assert failed.error.temporary
    assert "secret" not in failed.error.text


async def test_a_mistake_of_ours_is_a_failed_try_and_not_the_end_of_the_lane(office: Office) -> None:
    conversation = await office.conversation()
    broken, fine = await office.reply(conversation, "broken"), await office.reply(conversation, "fine")
    await office.documents["outbox"].update_one({"_id": broken}, {"$set": {"identity_id": "nobody"}})
    async with office.working():
        failed = await office.until_error(broken)
        assert failed.error is not None
        await office.documents["outbox"].update_one({"_id": broken}, {"$set": {"identity_id": "post:ada"}})
        await office.hurry(broken)
        await office.until(fine, "sent")
    assert [one for one, _ in office.platform.taken] == [broken, fine]


async def test_a_reply_of_a_channel_that_has_gone_fails_readably(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    async with office.working(office.another_worker("me", other=office.postbox)):
        failed = await office.until(id_, "failed")
    assert failed.error is not None
    assert failed.error.code == "channel-gone"
    assert f'"{CHANNEL}"' in failed.error.text
    await office.replies.retry(id_)
    async with office.working():
        await office.until(id_, "sent")
