"""Understanding large events in a process of its own, which can be ended whatever it does.

A large mail takes a second of CPU, and much of that in C, where nobody else of this process has a turn. The reader is
started when the first one comes, and ends after a while without work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
import sys

from msgspec.structs import replace

from inbox.children import dying_with_us
from inbox.ingest.patience import TooLongError
from inbox.ingest.reader import LENGTH, Answer, Failure, MakeNormalizers, Question, frame
from normalizer.outcomes import Outcome, Raw

IDLE_SECONDS = 300.0
GRACE_SECONDS = 5  # for what was asked to come there, and for the answer to come back
LAST_SECONDS = 1.0  # between its last word and its end
BUFFER = 1024 * 1024
PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from inbox.ingest.reader import main; main()"


class UnreadableError(Exception):
    """The reader could not understand an event. Its text is the reader's traceback; the log may say `words` of it."""

    def __init__(self, trace: str, words: str) -> None:
        super().__init__(trace)
        self.words = words


class Reading:
    """Has large events understood, one at a time.

    Args:
        make: makes in the reader what understands the events of each channel; it is pickled.
    """

    def __init__(self, make: MakeNormalizers) -> None:
        self._make = make
        self._reader: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def outcomes(self, channel: str, raw: Raw, seconds: float) -> tuple[Outcome, ...]:
        """What an event means.

        Raises:
            UnreadableError: it cannot be understood, or the reader died of it.
            TooLongError: the reader did not come back, and was ended.
        """
        if self._idle is not None:
            self._idle.cancel()
        asking = asyncio.create_task(self._ask(Question(channel, raw, seconds)))
        try:
            # Seconds are counted one by one, because this process may be stopped meanwhile.
            for _ in range(round(seconds) + GRACE_SECONDS):
                if (await asyncio.wait((asking,), timeout=1))[0]:
                    break
            else:
                raise TooLongError(f"to understand it took longer than {seconds:g} s, and could not be interrupted")
            answer = asking.result()
        except BaseException as error:
            asking.cancel()
            broken = isinstance(error, (asyncio.IncompleteReadError, OSError))
            status = await self.close(LAST_SECONDS if broken else 0)
            if broken:
                words = f"the process that was to understand it ended ({status})"
                raise UnreadableError(words, words) from error
            raise
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._retire)
        if isinstance(answer, Failure):
            unreadable = UnreadableError(answer.trace, answer.words)
            if answer.late:
                raise TooLongError(f"to understand it took longer than {seconds:g} s") from unreadable
            raise unreadable
        return answer.outcomes

    async def close(self, seconds: float = 0) -> int | None:
        """Ends the reader, which may end by itself for some seconds; returns its exit status where there was one."""
        if self._idle is not None:
            self._idle.cancel()
        reader, self._reader = self._reader, None
        if reader is None:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await reader.wait()
        with contextlib.suppress(ProcessLookupError):
            reader.kill()
        return await reader.wait()

    def _retire(self) -> None:
        if self._reader is not None and self._reader.stdin is not None:
            self._reader.stdin.close()  # then it ends by itself
            self._reader = None

    async def _ask(self, question: Question) -> Answer:
        if self._reader is None:
            self._reader = await self._start()
        source, sink = self._reader.stdout, self._reader.stdin
        assert source is not None
        assert sink is not None
        body = memoryview(question.raw.body)
        sink.write(frame(replace(question, raw=replace(question.raw, body=b""))) + LENGTH.pack(len(body)))
        for start in range(0, len(body), BUFFER):  # all of a large one at once would hold others up
            sink.write(body[start : start + BUFFER])
            await sink.drain()
        (length,) = LENGTH.unpack(await source.readexactly(LENGTH.size))
        answer: Answer = await asyncio.to_thread(pickle.loads, await source.readexactly(length))
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        """In a session of its own, so that Ctrl-C reaches us alone."""
        reader = await asyncio.create_subprocess_exec(
            *dying_with_us(sys.executable, "-I", "-c", PROGRAM, json.dumps(sys.path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=BUFFER,
            start_new_session=True,
        )
        assert reader.stdin is not None
        reader.stdin.write(frame(self._make))
        return reader
