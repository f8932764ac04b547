"""An incident's story in the words of the duty page: plain strings out of :mod:`bot.story`."""

from __future__ import annotations

from typing import Any

from bot.rendering.neutral import mask, visible
from bot.story import Story, StoryLine

_DETAILS = {
    "text": "内容",
    "cause": "结果",
    "why": "原因",
    "detail": "说明",
    "value": "数值",
    "tries": "次数",
}
_CLOCK_STATES = {"running": "计时中", "met": "已完成", "closed": "已解除", "lapsed": "已超时"}


def story_view(story: Story) -> dict[str, Any]:
    """What ``duty_incident.html`` shows of a story; phone numbers are masked, times are local minutes."""
    return {
        "state": story.state_word,
        "rule": visible(story.rule),
        "basis": visible(story.basis),
        "opened": _minute(story.opened),
        "closed": _minute(story.closed),
        "raises": story.raises,
        "duties": [
            {
                "unit": visible(duty.unit_name),
                "signed": f"{visible(duty.signed_by)} {_minute(duty.signed_at)} 签收" if duty.signed_by else "未签收",
                "is_signed": bool(duty.signed_by),
                "clocks": [
                    f"{clock.clock} {_minute(clock.due)} {_CLOCK_STATES.get(clock.state, clock.state)}"
                    for clock in duty.clocks
                ],
            }
            for duty in story.duties
        ],
        "lines": [_line(line) for line in story.lines],
    }


def _line(line: StoryLine) -> dict[str, str]:
    said = [
        f"{_DETAILS[name]} {mask(visible(str(value)))}"
        for name, value in line.detail.items()
        if _DETAILS.get(name) and value not in ("", None)
    ]
    return {
        "at": f"{_minute(line.at)}{line.at[16:19]}",
        "what": visible(line.what),
        "who": mask(visible(line.who)),
        "channel": line.channel,
        "said": "；".join(said),
        "kind": _kind(line.reason),
    }


def _kind(reason: str) -> str:
    """By what a reader looks for: what people did, what went out, what ran out."""
    if reason.startswith("reply_"):
        return "deed"
    if reason in ("clock_lapsed", "dead_letter", "hub_outage", "nobody_at_post", "nobody_anywhere", "no_contact"):
        return "bad"
    return "receipt" if reason.startswith("receipt_") else "fact"


def _minute(at: str) -> str:
    return at[5:16].replace("T", " ")
