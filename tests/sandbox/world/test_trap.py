"""The trap: the nth call of a kind is held before or after its effect, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest

from onevoice.sandbox.calls import READ, WRITE
from onevoice.sandbox.trap import AFTER, BEFORE, CutOffError, Snare, Trap


class Vendor:
    """Calls through a trap, and what they did."""

    def __init__(self) -> None:
        self.trap = Trap()
        self.done: list[str] = []

    async def call(self, name: str, kind: str = WRITE) -> str:
        async def carry_out() -> str:
            self.done.append(name)
            return f"answer to {name}"

        return await self.trap.around(name, kind, carry_out)


async def settled(call: asyncio.Task[str]) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert not call.done()


@pytest.mark.parametrize(("moment", "done"), [(BEFORE, ["one"]), (AFTER, ["one", "two"])])
def test_the_nth_write_is_held_before_or_after_its_effect(moment: str, done: list[str]) -> None:
    async def story() -> None:
        vendor = Vendor()
        vendor.trap.arm(Snare(WRITE, 2, moment))
        assert await vendor.call("read", READ) == "answer to read"
        vendor.done.clear()
        await vendor.call("one")
        held = asyncio.create_task(vendor.call("two"))
        await settled(held)
        assert [vendor.trap.state()[name] for name in ("armed", "caught")] == [True, "two"]
        assert vendor.done == done
        assert await vendor.call("three") == "answer to three"  # others pass while one is held
        vendor.trap.release()
        if moment == BEFORE:
            with pytest.raises(CutOffError):
                await held
        else:
            assert await held == "answer to two"
        assert vendor.done == [*done, "three"]
        assert vendor.trap.state() == {
            "armed": False,
            "caught": None,
            "passed": {"read": {"read": 1}, "write": {"one": 1, "three": 1, "two": 1}},
        }

    asyncio.run(story())


def test_only_the_named_operation_counts() -> None:
    async def story() -> None:
        vendor = Vendor()
        vendor.trap.arm(Snare(READ, 1, AFTER, "read batch"))
        await vendor.call("search", READ)
        await vendor.call("read batch", WRITE)
        held = asyncio.create_task(vendor.call("read batch", READ))
        await settled(held)
        vendor.trap.arm(Snare(WRITE, 1, AFTER))  # armed anew: what was held goes on
        assert await held == "answer to read batch"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (("change", 1, AFTER), "kind must be read or write"),
        ((WRITE, 1, "between"), "moment must be before or after"),
        ((WRITE, 0, AFTER), "nth must be a whole number from 1"),
        ((WRITE, True, AFTER), "nth must be a whole number from 1"),
    ],
)
def test_what_no_call_can_be_is_refused(said: tuple[str, int, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Snare(*said)
