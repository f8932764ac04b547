"""Vendors' ids of sends and the reports that name them: whichever comes first, they meet."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.external import connect
from escalation.inputs import Receipt, SendResult
from escalation.ledger.vendor_ids import VendorIds
from tests.ledger.doors import StoreDoor
from tests.store.three_nodes import ThreeNodes


def sent(notice: str, vendor_id: str) -> tuple[str, Receipt]:
    code = notice.partition(".")[0]
    return code, Receipt(notice=notice, result=SendResult.SUBMITTED, at=1, vendor_id=vendor_id)


def report(vendor_id: str) -> Receipt:
    return Receipt(notice="", result=SendResult.DELIVERED, at=2, vendor_id=vendor_id, detail="已送达")


def named(pairs: list[tuple[str, Receipt]]) -> list[tuple[str, str, str]]:
    return [(code, receipt.notice, receipt.result.value) for code, receipt in pairs]


async def test_one_send_may_carry_several_notices_and_each_hears_of_it(door: StoreDoor) -> None:
    ids = VendorIds(door)
    assert await ids.early({"cloud": [sent("A0001.1.n", "v1"), sent("A0002.1.n", "v1"), sent("A0003.1.n", "")]}) == []
    found = await VendorIds(door).reported("cloud", [report("v1"), report("v2")])
    assert named(found) == [("A0001", "A0001.1.n", "delivered"), ("A0002", "A0002.1.n", "delivered")]
    assert await ids.reported("another", [report("v1")]) == [], "the ids of two vendors may be alike"


async def test_what_is_written_again_with_less_keeps_the_first_word(door: StoreDoor) -> None:
    ids = VendorIds(door)
    await ids.early({"cloud": [sent("A0001.1.n", "v1"), sent("A0002.1.n", "v1")]})
    await ids.early({"cloud": [sent("A0002.1.n", "v1")]})
    assert len(await ids.reported("cloud", [report("v1")])) == 2


async def test_rows_without_an_incident_are_nobodys(door: StoreDoor) -> None:
    ids = VendorIds(door)
    answer = ("", Receipt(notice="answer.abc", result=SendResult.SUBMITTED, at=1, vendor_id="v1"))
    assert await ids.early({"cloud": [answer]}) == []
    assert await ids.reported("cloud", [report("v1")]) == []


async def test_a_trial_hears_of_its_send_though_it_has_no_incident(door: StoreDoor) -> None:
    trial = ("", Receipt(notice="trial.abc.1", result=SendResult.SUBMITTED, at=1, vendor_id="v1"))
    assert await VendorIds(door).early({"cloud": [trial]}) == []
    assert named(await VendorIds(door).reported("cloud", [report("v1")])) == [("", "trial.abc.1", "delivered")]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(["send v1", "send v2", "report v1", "report v2"]), twice=st.booleans())
async def test_in_any_order_each_report_finds_its_send(door: StoreDoor, order: list[str], twice: bool) -> None:
    await door.execute("FLUSHALL")
    found: set[tuple[str, str, str]] = set()
    for step in order * (2 if twice else 1):
        what, vendor_id = step.split()
        ids, notice = VendorIds(door), f"A000{vendor_id[1]}.1.n"
        if what == "send":
            found |= set(named(await ids.early({"cloud": [sent(notice, vendor_id)]})))
        else:
            found |= set(named(await ids.reported("cloud", [report(vendor_id)])))
    assert found == {("A0001", "A0001.1.n", "delivered"), ("A0002", "A0002.1.n", "delivered")}


async def test_they_are_forgotten_by_themselves(door: StoreDoor) -> None:
    ids = VendorIds(door)
    await ids.early({"cloud": [sent("A0001.1.n", "v1")]})
    await ids.reported("cloud", [report("v2")])
    keys = await door.execute("KEYS", "fh:*")
    assert len(keys) == 2
    for key in keys:
        assert 0 < await door.execute("PTTL", key) <= 7 * 86_400_000


async def test_over_three_nodes(three_nodes: ThreeNodes) -> None:
    three_nodes.empty()
    async with connect(three_nodes.url) as store:
        ids = VendorIds(StoreDoor(store))
        pairs = [sent(f"A{number:04d}.1.n", f"v{number}") for number in range(1, 40)]
        early = [report(f"v{number}") for number in range(1, 20)]
        assert await ids.reported("cloud", early) == []
        assert len(await ids.early({"cloud": pairs})) == 19
        assert len(await ids.reported("cloud", [report(f"v{number}") for number in range(20, 40)])) == 20
