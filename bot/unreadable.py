"""What is said of an incident that stands in the store and cannot be read: which it is, and what to do about it."""

from __future__ import annotations

import msgspec

from escalation.ledger.states import Damaged


class UnreadableLine(msgspec.Struct, frozen=True, kw_only=True):
    """One incident whose record cannot be read. It may still have to be dealt with: its code, why, and what to do."""

    code: str
    why: str
    todo: str
    todo_en: str


def line_of_unreadable(damaged: Damaged) -> UnreadableLine:
    return UnreadableLine(
        code=damaged.code,
        why=damaged.why,
        todo=(
            f"{damaged.code} 的记录无法读取，可能仍须处置：请电话核实现场；"
            f"维护员用写下它的版本打开，或从备份恢复（fenghuo show {damaged.code}）。"
        ),
        todo_en=(
            f"the record of {damaged.code} cannot be read and may still need hands: ask on the spot; use the "
            f"version that wrote it, or restore a backup (fenghuo show {damaged.code})"
        ),
    )
