"""What has all the words of a search, newest first.

Nothing is looked for in all of time at once: a search goes back in steps of some hours or years, as long as the words
are rare, and ends with a full page. In each step the rarest word says which could be meant, and the others are asked
about these alone. All of it is answered from `inbox.store.indexes`' `words`, without a document being read. So two
common words cost little, as a page is full soon; two that are common and never together are given up after a time,
with a place to go on from. Where a filter leaves little, that alone is asked for the words.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ExecutionTimeout

from inbox.errors import RefusedError
from inbox.filters import Filter, Sort
from inbox.model import Conversation, Customer, first_id
from inbox.staff import Principal
from inbox.store import words
from inbox.store.client import Database, Document
from inbox.store.documents import COLLECTIONS, from_document
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO
from inbox.store.paging import Place, Slice
from inbox.store.people import People
from inbox.store.queries import SORTS, UNNAMED, Matching, listed
from normalizer.excerpt import Excerpt, Finder
from normalizer.folding import Term
from normalizer.schema import Message

SECONDS = 1.0  # that a search goes on
STEPS = 6  # that it goes in any case: where nothing is found, they lead to the beginning of time
LONGEST_SECONDS = 4.0  # whatever it has found by then
MILLISECONDS = 500  # that one of its questions may take
FIRST_STEP = timedelta(hours=6)
LEAST_STEP = timedelta(seconds=1)
LAST_STEP = timedelta(days=1_000)  # beyond it, all that is older
WIDER, NARROWER = 8, 32
ENTRIES = 4_000  # of the index, in one step
NARROW = ("_id", "customer_id", "assignee", "team", "tags", "followers")  # fields with an index that few may share
FEW = 1_000
SORTED = 1_000  # conversations that are put in another order than that in which they are found
LONG = {"html": 0, "quoted": 0, "revisions": 0, "channel_data": 0}  # and nothing of it is searched

Step = tuple[list[str], str]
"""Ids that have all words, the newest first, and the one from which on all were looked at; "" is the end."""
KindT = TypeVar("KindT", Conversation, Customer)


class Found(Excerpt, frozen=True, kw_only=True):
    """Where the words of a search stand in a conversation: most of them in this message, the newest of several.

    `message_id` and `seq` are null where they stand in the subject, or in a name or an address of the customer.
    `text` is a piece of it on one line, and `ranges` the begin and the end of each word in that, in UTF-16 code units,
    as JavaScript counts.
    """

    message_id: str | None = None
    seq: int | None = None


@guarded
class Search:
    """The `conversation_words` and `customer_words` collections, and what they lead to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._people = People(database)

    async def conversations(
        self,
        terms: Sequence[Term],
        matching: Matching,
        *,
        within: Filter | None = None,
        reader: Principal,
        after: Place | None,
        limit: int,
    ) -> Slice[Conversation]:
        """A page of the conversations with all of these words, the last begun first.

        It may hold fewer than `limit` and go on all the same, where it took too long to find more.

        Args:
            terms: the words, in one or several messages, the subject, or the customer's names and addresses.
            matching: what they are like.
            within: what must hold beside that; it names nobody as `me`.
            reader: who sees them.
            after: where the page before ended.
            limit: how many at the most.

        Raises:
            RefusedError: the words are in too much.
        """
        query = listed(matching, reader, within)
        return await self._page(Conversation, query, await self._steps(terms, matching, query, after), limit)

    async def ordered(
        self,
        terms: Sequence[Term],
        matching: Matching,
        *,
        within: Filter | None = None,
        reader: Principal,
        sort: Sort,
        after: Place | None,
        limit: int,
    ) -> Slice[Conversation]:
        """A page of the conversations with all of these words in another order, for which all of them must be found.

        Under `waiting` those alone who wait; the rest is as above.

        Raises:
            RefusedError: they are more than `SORTED`, or take too long to be found.
        """
        field, order = SORTS[sort]
        query = listed(matching, reader, within)
        if field == "waiting_since":
            query[field] = {"$gt": LONG_AGO}
        found = await self._page(Conversation, query, await self._steps(terms, matching, query, None), SORTED)
        if found.end is not None:
            told = "too much is found to be put in that order: give more words or filters, or leave sort out"
            raise RefusedError("too-many-to-sort", told)
        places = {Place(getattr(one, field), one.id): one for one in found.items}
        in_order = sorted(places, reverse=order == DESCENDING)
        left = [at for at in in_order if after is None or (at < after if order == DESCENDING else at > after)]
        return Slice([places[at] for at in left[:limit]], left[limit - 1] if len(left) > limit else None)

    async def customers(self, terms: Sequence[Term], *, after: Place | None, limit: int) -> Slice[Customer]:
        """A page of the customers with all of these words in their names and addresses, the newest first.

        It may hold fewer than `limit`, as above. Those who were merged into another are found as that one.

        Raises:
            RefusedError: the words are in too much.
        """
        walk = _Walk(self._database[words.COLLECTIONS[Customer]], terms, after)
        return await self._page(Customer, {"merged_into": None}, walk.steps(), limit)

    async def found(self, terms: Sequence[Term], conversations: Sequence[Conversation]) -> dict[str, Found]:
        """Where in these conversations the words are: of each the message with most of them, the newest of several."""
        finder = Finder(terms)
        best = await self._best(terms, [one.id for one in conversations])
        documents = self._database["messages"].find({"_id": {"$in": list(best.values())}}, LONG)
        messages = {document["_id"]: from_document(document, Message) async for document in documents}
        heads = [one for one in conversations if best.get(one.id) not in messages]
        found = await self._in_heads(finder, heads)
        for message in messages.values():
            texts = (message.text, message.subject or "", *(file.filename for file in message.attachments))
            if excerpt := finder.best(texts):
                found[message.conversation_id] = Found(
                    message_id=message.id, seq=message.seq, text=excerpt.text, ranges=excerpt.ranges
                )
        return found

    async def _page(self, kind: type[KindT], query: Document, steps: AsyncIterator[Step], limit: int) -> Slice[KindT]:
        began = time.monotonic()
        items: list[KindT] = []
        end: Place | None = None
        left = STEPS
        try:
            async for ids, begin in steps:
                wanted = limit + 1 - len(items)
                found = self._database[COLLECTIONS[kind]].find({**query, "_id": {"$in": ids}}, max_time_ms=MILLISECONDS)
                found = found.sort("_id", DESCENDING).limit(wanted)
                items += [from_document(document, kind) async for document in found] if ids else []
                if len(items) > limit:
                    return Slice(items[:limit], Place(None, items[limit - 1].id))
                end = Place(None, begin) if begin else None
                left -= 1
                if end is None or time.monotonic() - began > (LONGEST_SECONDS if left > 0 else SECONDS):
                    break
        except ExecutionTimeout as error:
            if end is None:
                told = "too much begins with these words: give longer ones, or fewer"
                raise RefusedError("search-too-broad", told) from error
        return Slice(items, end)

    async def _steps(
        self, terms: Sequence[Term], matching: Matching, query: Document, after: Place | None
    ) -> AsyncIterator[Step]:
        walk = _Walk(self._database[words.COLLECTIONS[Conversation]], terms, after)
        few = await self._few(query) if any(matching.get(field) not in (None, UNNAMED) for field in NARROW) else None
        return walk.steps() if few is None else walk.among(few)

    async def _few(self, query: Document) -> list[str] | None:
        """What is like that, where it is little enough to be looked through as a whole."""
        found = self._database["conversations"].find(query, {"_id": 1}, max_time_ms=MILLISECONDS, limit=FEW + 1)
        try:
            ids = [document["_id"] async for document in found]
        except ExecutionTimeout:
            return None
        return ids if len(ids) <= FEW else None

    async def _best(self, terms: Sequence[Term], conversation_ids: Collection[str]) -> dict[str, str]:
        """Of each conversation the message, or the conversation's own id, whose document has most of the words."""
        found = [[{"$match": _having(term, conversation_ids)}, {"$project": {"of": 1}}] for term in terms]
        others = [{"$unionWith": {"coll": "conversation_words", "pipeline": pipeline}} for pipeline in found[1:]]
        has: Document = {"_id": "$_id", "of": {"$first": "$of"}, "words": {"$sum": 1}}
        most = {"$max": {"words": "$words", "is_message": {"$ne": ["$_id", "$of"]}, "id": "$_id"}}
        pipeline = [*found[0], *others, {"$group": has}, {"$group": {"_id": "$of", "best": most}}]
        try:
            read = await self._database["conversation_words"].aggregate(pipeline, maxTimeMS=MILLISECONDS)
            return {document["_id"]: document["best"]["id"] async for document in read}
        except ExecutionTimeout:  # they are found all the same
            return {}

    async def _in_heads(self, finder: Finder, conversations: Sequence[Conversation]) -> dict[str, Found]:
        roots = await self._people.roots({one.customer_id for one in conversations})
        families = await self._people.families(list(roots.values()))
        members = [member.id for family in families.values() for member in family]
        identities = await self._people.identities(members) if members else []
        found = {}
        for conversation in conversations:
            root = roots.get(conversation.customer_id)
            family = families[root.id] if root else []
            ids = {member.id for member in family}
            texts = [conversation.subject, *(member.name for member in family)]
            texts += [text for one in identities if one.customer_id in ids for text in (one.name, one.value)]
            if excerpt := finder.best([text for text in texts if text]):
                found[conversation.id] = Found(text=excerpt.text, ranges=excerpt.ranges)
        return found


class _Walk:
    """Goes back in time, in steps that fit how common the words are."""

    def __init__(self, collection: AsyncCollection[Document], terms: Sequence[Term], after: Place | None) -> None:
        self._words = collection
        self._after = after.id if after else None
        self._step = FIRST_STEP
        self._entries = dict.fromkeys(terms, 0)  # of each word in a step; the rarest is asked for first

    async def among(self, ids: Collection[str]) -> AsyncIterator[Step]:
        """Those of these ids that have all words, in one step."""
        before = {id_ for id_ in ids if self._after is None or id_ < self._after}
        yield sorted(await self._all(None, before), reverse=True), ""

    async def steps(self) -> AsyncIterator[Step]:
        """All ids that have all words."""
        end, moment = self._after, _moment(self._after)
        while True:
            begins = moment - self._step
            begin = first_id(begins) if self._step < LAST_STEP else ""
            rarest = await self._rarest(_between(begin, end))
            if rarest is None:
                self._step /= NARROWER
                continue
            yield sorted(await self._all(*rarest), reverse=True), begin
            if not begin:
                return
            end, moment = begin, begins
            if self._entries[rarest[0]] * WIDER < ENTRIES:
                self._step *= WIDER

    async def _rarest(self, between: Document) -> tuple[Term, set[str]] | None:
        """The rarest word of those known so far, and what has it; None where each is in too much for one step."""
        some = ENTRIES + 1 if self._step > LEAST_STEP else 0  # 0 is no limit
        for term in sorted(self._entries, key=self._entries.__getitem__):
            found = await self._of({"words": _like(term), **between}, some)
            self._entries[term] = len(found)
            if len(found) <= ENTRIES or not some:
                return term, set(found)
        return None

    async def _all(self, known: Term | None, ids: set[str]) -> set[str]:
        """Those of `ids`, which have the word that is known, that have the others too."""
        for term in self._entries:
            if ids and term is not known:
                ids &= set(await self._of(_having(term, ids), 0))
        return ids

    async def _of(self, query: Document, limit: int) -> list[str]:
        found = self._words.find(query, {"_id": 0, "of": 1}, hint="words", max_time_ms=MILLISECONDS, limit=limit)
        return [document["of"] async for document in found]


def _like(term: Term) -> str | Document:
    return {"$regex": f"^{re.escape(term.word)}"} if term.begins else term.word


def _between(begin: str, end: str | None) -> Document:
    """What has ids from `begin` on and before `end`; without `end`, up to now."""
    slots, ids = {"$gte": words.slot(begin)}, {"$gte": begin}
    if end is not None:
        slots["$lte"], ids["$lt"] = words.slot(end), end
    return {"slot": slots, "of": ids}


def _having(term: Term, ids: Collection[str]) -> Document:
    """Those of `ids` that have a word."""
    return {"slot": {"$in": sorted(set(map(words.slot, ids)))}, "words": _like(term), "of": {"$in": sorted(ids)}}


def _moment(id_: str | None) -> datetime:
    """When an id was made; now for one that is none of ours."""
    now = datetime.now(UTC)
    try:
        return min(now, LONG_AGO + timedelta(milliseconds=int(id_.replace("-", "")[:12], 16))) if id_ else now
    except ValueError:
        return now
