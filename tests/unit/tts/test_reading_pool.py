"""Long texts are read off the event loop, short ones on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from voicemesh_tts.reading_pool import AT_ONCE_CHARS, ReadingPool

pytestmark = pytest.mark.unit


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[ReadingPool]:
    made = ReadingPool()
    yield made
    await made.aclose()


async def test_a_short_text_is_read_without_a_thread(pool: ReadingPool) -> None:
    reader = await pool.run(threading.get_ident, chars=AT_ONCE_CHARS)

    assert reader == threading.get_ident()


@pytest.mark.parametrize("chars", [AT_ONCE_CHARS + 1, None])
async def test_the_event_loop_turns_while_a_long_text_is_read(
    pool: ReadingPool, chars: int | None
) -> None:
    loop_turned = threading.Event()

    def read() -> bool:
        # Were this on the loop, the callback below could not run.
        return loop_turned.wait(10)

    asyncio.get_running_loop().call_soon(loop_turned.set)

    assert await pool.run(read, chars=chars)


async def test_an_error_of_the_work_is_the_callers(pool: ReadingPool) -> None:
    def read() -> None:
        raise ValueError("bad text")

    with pytest.raises(ValueError, match="bad text"):
        await pool.run(read)


async def test_closing_drops_what_has_not_begun() -> None:
    pool = ReadingPool(workers=1)
    begun, gate, read = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        begun.set()
        gate.wait(10)
        read.append("first")

    tasks = [asyncio.create_task(pool.run(first))]
    await asyncio.to_thread(begun.wait, 10)
    tasks.append(asyncio.create_task(pool.run(lambda: read.append("second"))))
    await asyncio.sleep(0)
    closing = asyncio.create_task(pool.aclose())
    await asyncio.wait(tasks[1:], timeout=10)
    gate.set()
    await closing
    await asyncio.gather(*tasks, return_exceptions=True)

    assert read == ["first"]
