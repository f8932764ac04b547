"""``fenghuo show``: an incident minute by minute: told, submitted, delivered, read, signed, each apart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.incident_words import state_word, vacancy
from bot.rehearsal.told import KIND_WORDS
from escalation.calendar import local
from escalation.directory import Directory
from escalation.incident import Clock, ClockState, Duty, Incident
from escalation.inputs import Entry
from escalation.ledger.journal import JournalRow
from escalation.ledger.presence import Outage
from escalation.vocabulary import ClockKind, Mode, Purpose, Role, Tier, Verb

_REASONS = {
    "opened": "警情建立",
    "reopened": "再次报警，重新打开",
    "raised_again": "再次报警，须重新签收",
    "rose": "级别上升",
    "lowered": "级别下降",
    "folded": "重复报警，已合并",
    "returned": "上游恢复正常",
    "cleared_before_raise": "恢复早于报警，已记录",
    "cleared_before_newest_raise": "恢复早于最近报警，不生效",
    "raised_before_its_clear": "迟到的报警，其后已恢复",
    "level_older_than_known": "迟到的级别变化，不生效",
    "already_closed": "已关闭，仅记录",
    "told": "通知",
    "told_on_trial": "试运行：应通知（未发送）",
    "receipt_submitted": "已提交渠道",
    "receipt_uncertain": "结果不明",
    "receipt_throttled": "渠道限流",
    "receipt_transient": "暂时失败，将重试",
    "receipt_refused_recipient": "号码或地址被拒",
    "receipt_refused_content": "内容被拒",
    "receipt_misconfigured": "渠道配置有误",
    "receipt_undelivered": "未送达",
    "receipt_delivered": "已送达",
    "receipt_read": "已读",
    "receipt_answered": "电话已接听，没有按键签收",
    "calls_looked_at": "查看电话结果",
    "next_call": "改用下一个电话渠道",
    "call_by_hand": "电话没有通知到，转人工电话",
    "call_ended": "电话结束",
    "reply_key": "电话按键签收",
    "reply_key_unknown": "电话按键没有对上，未记录",
    "reply_key_of_a_test": "测试电话的按键",
    "receipt_barred": "渠道无法使用，先走其他渠道",
    "receipt_dropped": "不再需要，未发送",
    "receipt_repeated": "可能重复发送",
    "dead_letter": "死信：无法送达",
    "dead_replayed": "死信重发",
    "dead_dropped": "死信了结，不再发送",
    "restored": "从备份恢复",
    "next_channel": "改走下一个渠道",
    "next_person": "无人能及时收到，改通知本单位下一人",
    "unreachable_goes_up": "无人能及时收到，转上一级",
    "tier_passed_over": "上一级也无人可达，再转上一级",
    "next_tier_by_its_step": "本单位无人能及时收到，上一级按升级时间通知",
    "clock_met": "按要求完成",
    "clock_lapsed": "时限到期",
    "duty_closed": "责任解除",
    "incident_closed": "警情关闭",
    "still_not_fed_back": "关闭后仍未系统反馈，再次提醒",
    "reminder_held": "催办尚未发出，暂不升级",
    "announcement_overtaken": "已到升级时间，预告略过",
    "taken_by_higher_tier": "上一级已签收，不再升级",
    "no_tier_above": "没有上一级可升级",
    "nobody_at_post": "岗位无人",
    "group_of_others": "群内有其他单位的人，不发本企业的信息",
    "fell_to_leader": "转由带班领导接收",
    "fell_to_next_tier": "转由上一级接收",
    "nobody_anywhere": "各级均无人可通知，已转系统维护员",
    "no_contact": "没有可用的联系方式",
    "no_right": "无权答复，未记录为签收",
    "shares_a_send": "同一号码或群，合并为一次发送",
    "superseded": "被后续通知取代",
    "overtaken_by_stronger": "同时有更重要的通知，合并",
    "limit_held": "催办尚未发出，时限顺延",
    "phone_task_done": "人工电话任务办结",
    "incident_stuck": "记录异常，时限停走，已通知人工跟进",
    "receipt_undecided": "回执未能登记，仅记录",
    "reply_undecided": "答复未能登记，已转告值班室",
    "asked": "查询",
    "no_duty": "本单位没有此项责任",
    "nothing_to_extend": "没有可延期的时限",
    "extension_not_allowed": "规则不允许延期",
    "extension_used_up": "延期已用完",
    "extension_not_later": "要延到的时间不晚于时限",
    "extension_how_long": "延期未写多久",
    "extension_no_reason": "延期未写原因",
    "extension_beyond_rule": "延期超出规则",
    "nothing_to_judge": "没有可批的申请",
    "which_request": "待批申请不止一项，已反问",
    "transfer_to_whom": "转派未写给谁",
    "transfer_to_several": "转派的人不唯一，已反问",
    "transfer_to_nobody": "转派的人不在本单位",
    "transferred_already": "已由此人负责",
    "no_right_to_urge": "无权催办",
    "nothing_to_urge": "下级没有未办事项",
    "urged_too_soon": "刚催办过，未再发送",
    "nothing_to_undo": "没有可撤回的操作",
    "not_the_last_act": "要撤回的不是最近一次操作",
    "undone_already": "已撤回过",
    "undo_too_late": "超过可撤回的时间",
    "closed_by_others": "由他人关闭，不能撤回",
    "cannot_be_undone": "已发出，不能撤回",
    "answered_already": "申请已有答复，不能撤回",
    "reply_pressed": "值班页操作",
    "reply_button": "按下卡片按钮",
    "reply_forged_button": "卡片按钮无效，未记录",
    "reply_entered": "进入应用",
    "card_change": "更新卡片",
    "reply_evidence": "发来现场图片",
    "reply_evidence_asked": "发来图片，已反问是哪一条",
    "evidence_given": "收到现场图片",
    "evidence_kept": "现场图片已保存",
    "evidence_lost": "现场图片未能保存",
    "stale_card": "旧卡片上的按钮或之前的电话，未记录",
}
_STEPS = {
    "remind": "催办",
    "second_person": "通知第二责任人",
    "safety_head": "通知安全负责人",
    "main_person": "通知主要负责人",
    "leader_on_duty": "通知带班领导",
    "next_duty_room": "升级到上一级值班室",
    "next_leader": "升级到上一级领导",
    "phone": "打电话",
    "propose": "提出督办建议",
    "announce": "预告升级",
}


Detail = dict[str, str | int | float | bool | None]
"""What an entry says besides its reason: plain values by name."""


class StoryLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One minute of the story. ``reason`` is the journal's named reason, ``what`` the same in Chinese."""

    at: str
    reason: str
    what: str
    number: int = 0
    who: str = ""
    channel: str = ""
    notice: str = ""
    detail: Detail = {}


class ClockLine(msgspec.Struct, kw_only=True):
    clock: str
    due: str
    state: str
    met: str = ""


class DutyLine(msgspec.Struct, kw_only=True):
    """How one duty stands. ``fed_back_by`` gave the result into the official system; who only answered here did not."""

    duty: str
    tier: str
    unit_name: str
    signed_by: str
    signed_at: str
    fed_back_by: str
    fed_back_at: str
    open: bool
    closed_reason: str
    clocks: list[ClockLine]


class Story(msgspec.Struct, kw_only=True):
    """An incident as it stands, and everything that happened to it, oldest first."""

    code: str
    kind: str
    mode: str
    enterprise: str
    enterprise_name: str
    point: str
    point_name: str
    level: str
    severity: str
    value: float | None
    limit: float | None
    unit: str
    state: str
    state_word: str
    active: bool
    flags: list[str]
    opened: str
    closed: str
    raises: int
    rule: str
    basis: str
    next_due: str
    duties: list[DutyLine]
    lines: list[StoryLine]


def story_of(incident: Incident, rows: Sequence[JournalRow], outages: Sequence[Outage], directory: Directory) -> Story:
    """The story from the incident's state and its journal; hub outages stand in it where they happened."""
    lines = [(row.entry.at, _line(row, directory)) for row in rows]
    first = min((at for at, _ in lines), default=incident.opened_at)
    last = incident.closed_at or max([outage.end for outage in outages], default=0)
    for outage in outages:
        if outage.end > first and outage.start <= last:
            # A beat comes every second; what was written after the last one says that the hub still worked.
            start = max([outage.start, *(row.entry.at for row in rows if outage.start < row.entry.at < outage.end)])
            lines.append((start, _outage(Outage(start, outage.end))))
    lines.sort(key=lambda pair: pair[0])
    due = incident.due_at()
    return Story(
        code=incident.code,
        kind=incident.kind.value,
        mode=incident.mode.value,
        enterprise=incident.enterprise,
        enterprise_name=incident.enterprise_name,
        point=incident.point,
        point_name=incident.point_name,
        level=incident.level.value if incident.level else "",
        severity=incident.severity.value if incident.severity else "",
        value=incident.value,
        limit=incident.limit,
        unit=incident.unit,
        state=incident.state.value,
        state_word=state_word(incident),
        active=incident.active,
        flags=[flag.value for flag in incident.flags],
        opened=shown(incident.opened_at),
        closed=shown(incident.closed_at),
        raises=incident.raises,
        rule=incident.plan.rule,
        basis=incident.plan.basis,
        next_due=shown(due or 0),
        duties=[duty_line(duty, directory) for duty in incident.duties],
        lines=[line for _, line in lines],
    )


def _line(row: JournalRow, directory: Directory) -> StoryLine:
    entry = row.entry
    detail: Detail = {key: value for key, value in entry.detail.items() if value not in ("", None)}
    return StoryLine(
        at=shown(entry.at),
        reason=entry.reason,
        what=_what(entry),
        number=row.number,
        who=_who(entry, directory),
        channel=str(detail.pop("channel", "")),
        notice=entry.notice,
        detail=detail,
    )


def _what(entry: Entry) -> str:
    if entry.reason.startswith("step_"):
        return _STEPS.get(entry.reason.removeprefix("step_"), entry.reason)
    if entry.reason.startswith("reply_") and entry.reason not in _REASONS:
        return Verb(entry.reason.removeprefix("reply_")).word
    word = _REASONS.get(entry.reason, entry.reason)
    if entry.reason == "told":
        kind, purpose = str(entry.detail.get("kind", "")), str(entry.detail.get("purpose", ""))
        meant = Purpose(purpose).word if purpose in set(Purpose) else ""
        return f"{word}（{'，'.join(filter(None, (KIND_WORDS.get(kind, kind), meant)))}）"
    if entry.reason == "evidence_kept":
        return f"{word}（{entry.detail.get('file')}，{entry.detail.get('size')} 字节）"
    if entry.reason == "evidence_lost":
        return f"{word}（{entry.detail.get('why')}）"
    clock = entry.detail.get("clock")
    return f"{word}（{ClockKind(str(clock)).word}）" if clock and entry.reason.startswith("clock_") else word


def _who(entry: Entry, directory: Directory) -> str:
    if "vacant" in entry.detail:
        return vacancy(entry, directory)
    if entry.detail.get("kind") == "feedback" or "-feedback." in entry.notice:
        return f"上游系统 {entry.actor.partition('/')[0].partition('@')[0]}"
    unit, _, rest = entry.actor.partition("/")
    role, _, person = rest.partition("/")
    if not role:
        return str(entry.detail.get("name", "")) or entry.actor
    known = directory.people.get(person)
    name = known.name if known is not None else str(entry.detail.get("name", ""))
    post = f"{directory.unit_name(unit)}{Role(role).word}" if role in set(Role) else unit
    return post if name in ("", post) else f"{post} {name}"


def _outage(outage: Outage) -> StoryLine:
    seconds = (outage.end - outage.start) // 1000
    detail: Detail = {"seconds": seconds, "until": shown(outage.end)}
    return StoryLine(
        at=shown(outage.start),
        reason="hub_outage",
        what=f"系统中断 {seconds} 秒，至 {shown(outage.end)[11:19]} 恢复",
        detail=detail,
    )


def duty_line(duty: Duty, directory: Directory) -> DutyLine:
    """How one duty stands, in words."""
    return DutyLine(
        duty=duty.id,
        tier=duty.tier.value,
        unit_name=f"{Tier(duty.tier).word} {directory.unit_name(duty.unit)}",
        signed_by=duty.signed.name if duty.signed else "",
        signed_at=shown(duty.signed.at) if duty.signed else "",
        fed_back_by=duty.fed_back.name if duty.fed_back else "",
        fed_back_at=shown(duty.fed_back.at) if duty.fed_back else "",
        open=duty.open,
        closed_reason=duty.closed_reason,
        clocks=[_clock(clock) for clock in duty.clocks],
    )


def _clock(clock: Clock) -> ClockLine:
    late = clock.state is ClockState.RUNNING and clock.lapsed_at
    return ClockLine(
        clock=clock.kind.word,
        due=shown(clock.due_at),
        state="lapsed" if late else clock.state.value,
        met=shown(clock.met_at),
    )


def shown(ms: int) -> str:
    """A moment as RFC 3339 in Beijing time; '' for 0."""
    return local(ms).isoformat(timespec="seconds") if ms else ""


def text_of(story: Story) -> str:
    """The story for a terminal, in Chinese."""
    what = f"{story.enterprise_name} {story.point_name}".strip()
    head = [
        f"{Mode(story.mode).mark}{story.code}  {what}  {story.state_word}",
        f"规则：{story.rule}（{story.basis}）  建立 {_minute(story.opened)}  报警 {story.raises} 次"
        + (f"  下一时限 {_minute(story.next_due)}" if story.next_due else ""),
    ]
    for duty in story.duties:
        signed = f"{duty.signed_by} {_minute(duty.signed_at)} 签收" if duty.signed_by else "未签收"
        clocks = "，".join(f"{each.clock} {_minute(each.due)} {_STATES[each.state]}" for each in duty.clocks)
        fed_back = f"；{duty.fed_back_by} {_minute(duty.fed_back_at)} 已在原系统反馈" if duty.fed_back_by else ""
        head.append(f"  {duty.unit_name}：{signed}{fed_back}；{clocks}")
    body = [
        f"{_minute(line.at)}{line.at[16:19]}  {line.what}  {line.who}  {line.channel}".rstrip() for line in story.lines
    ]
    return "\n".join([*head, "", *body])


def _minute(at: str) -> str:
    return at[5:16].replace("T", " ")


_STATES = {"running": "计时中", "met": "已完成", "closed": "已解除", "lapsed": "已超时"}
