"""What the platform tells of replies that have left, or are just leaving."""

from __future__ import annotations

from harness import eventually
from outbox_office import Office
from postbox import said


async def test_a_report_that_is_quicker_than_the_answer_is_not_taken_back(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()
    async with office.working():
        await office.until(id_, "sending")
        await office.receive({"is": "report", "state": "read", "message_id": id_})
        office.platform.door.set()

        async def gone() -> bool:
            return not await office.items()

        await eventually(gone)
    final = await office.delivery(id_)
    assert final.state == "read"
    assert final.read_at is not None


async def test_a_report_and_an_edit_that_come_before_the_platforms_answer_wait_for_it(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()  # it has taken the piece, and its answer is slow
    async with office.working():
        await office.until(id_, "sending")
        await office.receive({"is": "report", "state": "delivered", "external_id": f"{id_}/0"})
        await office.receive({"is": "change", "of": f"{id_}/0", "at": 5, "text": "edited there"})
        office.platform.door.set()
        await office.until(id_, "delivered")
    assert (await office.message(id_)).text == "edited there"
    assert not await office.documents["waiting_changes"].count_documents({})


async def test_a_report_finds_the_reply_and_not_its_copy_that_came_back(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "sent")
    copy = said("answer", id=f"{id_}/0", thread="t")
    await office.receive(copy, {"is": "report", "state": "delivered", "external_id": f"{id_}/0"})
    assert (await office.delivery(id_)).state == "delivered"


async def test_reports_find_a_reply_by_the_platforms_name_for_a_piece(office: Office) -> None:
    office.platform.pieces = 2
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "sent")
    await office.receive({"is": "report", "state": "delivered", "external_id": f"{id_}/1"})
    assert (await office.delivery(id_)).state == "delivered"
