"""Dead letters as an operator handles them, on a memory bus."""

from collections.abc import Sequence

import pytest

from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.dead_letters import Settled
from router.runtime.errors import RecordRefused
from router.service.reading.letter_box import LetterBox, Wanted
from tests.suites.inputs import TOPIC, Plant

ALL = Wanted()


async def a_box(*texts: str) -> tuple[Plant, LetterBox]:
    """With a letter for each record that can't be handled."""
    plant = await Plant().open()
    await plant.publish(*texts)
    await plant.life().until_done()
    return plant, LetterBox(plant.bus)


async def values(box: LetterBox, wanted: Wanted = ALL) -> list[bytes | None]:
    return [letter.value for letter in (await box.find(wanted)).letters]


async def test_letters_are_found_in_the_order_of_their_records() -> None:
    _, box = await a_box("a?0", "a1", "a?2", "a?3")
    assert await values(box) == [b"a?0", b"a?2", b"a?3"]


async def test_a_letter_that_was_put_aside_twice_is_one() -> None:
    plant, box = await a_box("a?0")
    (twice,) = [record async for record in plant.bus.history(DEAD_LETTERS)]
    await plant.bus.publish([Outgoing(topic=twice.partition.topic, key="a", value=twice.value, headers=twice.headers)])
    assert await values(box) == [b"a?0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(key="a"), [b"a?0"]),
        (Wanted(key="A"), []),
        (Wanted(reason="keyerror"), [b"a?0", b"b?0"]),
        (Wanted(reason="b?"), [b"b?0"]),
        (Wanted(topic="T"), [b"a?0", b"b?0"]),
        (Wanted(topic="replies"), []),
        (Wanted(since_ms=1 << 60), []),
        (Wanted(ids=frozenset(["t/9@9"])), []),
        (Wanted(key="a", reason="b?"), []),
    ],
)
async def test_all_that_is_asked_for_must_hold(wanted: Wanted, found: list[bytes]) -> None:
    _, box = await a_box("a?0", "b?0")
    assert sorted(value or b"" for value in await values(box, wanted)) == found


async def test_a_replayed_letter_is_handled_and_no_longer_open() -> None:
    plant, box = await a_box("a?0", "a1")
    (letter,) = (await box.find(ALL)).letters
    await box.replay(letter)
    await plant.life(bad="never").until_done()
    assert plant.done == {"a1": 1, "a?0": 1}
    found = await box.find(Wanted(ids=frozenset([letter.id])))
    assert found.letters == []
    assert [(note.letter, note.outcome) for note in found.settled] == [(letter.id, Settled.REPLAYED)]
    (again,) = [record async for record in plant.bus.history(TOPIC) if record.headers]
    assert (again.key, again.value) == ("a", b"a?0")


async def test_a_replay_that_fails_again_is_a_new_letter() -> None:
    plant, box = await a_box("a?0")
    (letter,) = (await box.find(ALL)).letters
    await box.replay(letter)
    await plant.life().until_done()
    (again,) = (await box.find(ALL)).letters
    assert again.id != letter.id
    assert again.replay_of == letter.id


async def test_a_dropped_letter_is_gone_and_nothing_is_put_back() -> None:
    plant, box = await a_box("a?0", "b?0")
    letters = (await box.find(Wanted(key="a"))).letters
    await box.drop(letters[0])
    assert await values(box) == [b"b?0"]
    assert len([record async for record in plant.bus.history(TOPIC)]) == 2


async def test_what_is_too_large_for_the_bus_with_its_reason_is_cut_and_not_replayed() -> None:
    plant = await Plant().open()
    publish = plant.bus.publish

    async def refuse_large(records: Sequence[Outgoing]) -> Sequence[Position]:
        for index, record in enumerate(records):
            if record.topic == DEAD_LETTERS and len(record.value or b"") > 100_000:
                raise RecordRefused(index, "it is too large with its headers")
        return await publish(records)

    plant.bus.publish = refuse_large  # type: ignore[method-assign]  # a bus that counts headers, too
    await plant.publish("a?" + "x" * 99_999)
    await plant.life().until_done()
    box = LetterBox(plant.bus)
    (letter,) = (await box.find(ALL)).letters
    assert letter.cut_from_bytes == 100_001
    with pytest.raises(ValueError, match="only the beginning"):
        await box.replay(letter)
    assert len(await values(box)) == 1
