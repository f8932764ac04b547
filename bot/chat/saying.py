"""The sentences of the bot's own: asking which one, listing, the state of one, help, refusals. Pure; plain Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.rendering import neutral, people, shorten, words
from bot.rendering.engine import Engine
from bot.rendering.official import official_texts
from escalation.directory import Directory
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState
from escalation.vocabulary import Kind, Role, Verb

NO_REPLACEMENT = "本回复不代替事故报告。"
_MOST_LINES = 8
_MOST_TO_PASTE = 400
_OPEN_WORDS = {
    Verb.SIGN: "未签收",
    Verb.VERIFY: "未核查",
    Verb.DISPOSE: "未处置",
    Verb.FED_BACK: "未系统反馈",
    Verb.PHONED: "待电话通知",
    Verb.APPROVE: "待批",
    Verb.REFUSE: "待批",
    Verb.URGE: "下级未办",
    Verb.EXTEND: "计时中",
    Verb.TRANSFER: "由本单位处置",
}

_INSTEAD = {
    Verb.MAINTAIN: "检修、停产请先按规定向上级报备；期间的报警仍须签收和核查。",
    Verb.DUTY: "今天谁值班，请问本单位值班室，或请系统维护员查看值班表。",
    Verb.SWAP: "换班请告知值班室，由系统维护员改值班表；改好以前仍按原值班表通知。",
    Verb.HANDOVER: "交接班请照常填写值班记录；未办事项可回复“待办”查看后口头交清。",
    Verb.CHECKIN: "查岗请按上级要求在原系统或电话应答。",
    Verb.CLEANING: "清扫打卡请在监测预警系统中记录。",
    Verb.HAZARD: "发现隐患请按规定上报属地应急部门，危险紧急时先撤人并报警。",
    Verb.FILED: "报送情况请以接收单位的回执为准；系统反馈请回复“系统已反馈 编号”。",
    Verb.PATROL: "巡查情况请照常填写巡查记录；对某条警情请回复“核查 编号 情况”。",
}


def line(directory: Directory, incident: Incident) -> str:
    """One incident in a list: ``A0231 示例木业 1号除尘器灰斗温度 高高报``, an exercise marked first."""
    _, short = people.enterprise(directory, incident)
    place = shorten.within(people.place(incident), 24)
    what = words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING)
    parts = (f"{incident.mode.mark}{incident.code}", shorten.within(short, 12), place, what)
    return " ".join(part for part in parts if part)


def listed(directory: Directory, incidents: Sequence[Incident], *, complete: bool = True) -> str:
    shown = "；".join(line(directory, incident) for incident in incidents[:_MOST_LINES])
    return shown + ("；等" if len(incidents) > _MOST_LINES or not complete else "")


def counted(incidents: Sequence[Incident], *, complete: bool) -> str:
    return f"{len(incidents)}条" if complete else f"{len(incidents)}条以上"


def which(directory: Directory, incidents: Sequence[Incident], verb: Verb, *, complete: bool) -> str:
    """Several are open and no code was given: nothing is done, and the sender is asked."""
    state = _OPEN_WORDS.get(verb, "未关闭")
    return (
        f"您有{counted(incidents, complete=complete)}{state}："
        f"{listed(directory, incidents, complete=complete)}。"
        f"本次未记录，请回复“{verb.word} 编号”，如“{verb.word} {incidents[0].code}”。"
    )


def none_open(verb: Verb, *, any_open: bool) -> str:
    if verb is Verb.QUERY:
        return "您目前没有未关闭的警情。"
    if any_open:
        return f"您没有{_OPEN_WORDS.get(verb, '未关闭')}的警情，本次未记录。回复“查询”可看未关闭的警情。"
    return "您目前没有未关闭的警情，本次未记录。如需指明，请回复“签收 编号”。"


def no_such_code(codes: Iterable[str]) -> str:
    return f"没有编号为{'、'.join(shorten.within(code, 16) for code in codes)}的警情，未记录。"


def not_text(other: str) -> str:
    """Something came that the hub cannot read; it is said, so that nobody takes it for recorded."""
    said = f"收到{other}，" if other != "空消息" else ""
    return f"{said}系统只能识别文字，本次未记录。请用文字回复，如“签收 编号”；现场图片等请发给值班室。"


def picture_of_which(directory: Directory, incidents: Sequence[Incident], *, complete: bool) -> str:
    """A picture that cannot be tied to one open incident: it is kept, and its sender is asked."""
    if not incidents:
        return "收到图片，您目前没有未关闭的警情，未归入任何警情。如需归入，请直接回复编号，如“A0231”。"
    return (
        f"收到图片。您有{counted(incidents, complete=complete)}未关闭："
        f"{listed(directory, incidents, complete=complete)}。"
        f"是哪一条的现场？请直接回复编号，如“{incidents[0].code}”。发图片不等于签收。"
    )


def key_unknown() -> str:
    """A key was pressed in a call, and nobody can say any more for which incident."""
    return "您在电话里按了签收，但没有对上是哪一条，未记录。请回复“签收 编号”，或回复“待办”查看。"


def not_your_button() -> str:
    """A button that was not made for whoever pressed it, or not by this hub."""
    return "这个按钮无效，或者不是发给您的，本次未记录。请按发给您本人的消息办理，或回复“签收 编号”。"


def own_open(directory: Directory, incidents: Sequence[Incident], *, complete: bool) -> str:
    """What the sender may have meant instead of a wrong code: listed, never chosen."""
    if not incidents:
        return "您目前没有未关闭的警情。"
    return f"您未关闭的警情：{listed(directory, incidents, complete=complete)}。"


def state(directory: Directory, incident: Incident, now: int) -> str:
    """The short state of one incident: what and where, whether upstream still says so, who signed, what is owed."""
    if incident.state is IncidentState.CLOSED:
        return f"{line(directory, incident)}：已于{words.moment(incident.closed_at, now)}关闭。"
    upstream = "上游仍在报警" if incident.active else "数值恢复，未确认安全"
    if incident.kind is Kind.WARNING and incident.active:
        upstream = "预警尚未解除"
    duties = [_duty(directory, duty, now) for duty in incident.duties if duty.open]
    return f"{line(directory, incident)}：{upstream}。{'；'.join(duties) or '目前无单位承担处置'}。"


def to_paste(directory: Directory, incident: Incident, duties: Iterable[Duty]) -> str:
    """The text for the official system, for whoever owes it; '' where nobody does, or there is nothing to say yet."""
    engine = Engine()
    for duty in duties:
        for text in official_texts(engine, incident, duty, directory, neutral.visible):
            if shorten.units(text) <= _MOST_TO_PASTE:
                return f"\n尚未在原系统反馈。以下可照原样粘贴，反馈后回“系统已反馈 {incident.code}”：\n{text}"
    return ""


def _duty(directory: Directory, duty: Duty, now: int) -> str:
    name = people.unit(directory, duty.unit)
    signed = f"{duty.signed.name} {words.moment(duty.signed.at, now)}签收" if duty.signed else "未签收"
    named = _named(directory, duty)
    signed += f"，已转派{named}" if named else ""
    if duty.fed_back:
        signed += f"，{duty.fed_back.name} {words.moment(duty.fed_back.at, now)}已在原系统反馈"
    left = [owed(clock, now) for clock in duty.clocks if clock.state is ClockState.RUNNING]
    return f"{name}{signed}" + (f"，{'，'.join(left)}" if left else "")


def _named(directory: Directory, duty: Duty) -> str:
    """Whom the duty was transferred to."""
    if not duty.named:
        return ""
    unit, role, person = duty.named.rsplit("/", 2)
    known = directory.people.get(person)
    return known.name if known else people.post(directory, unit, Role(role))


def owed(clock: Clock, now: int) -> str:
    """One limit as it stands: 02:30前核查, or 核查已逾期（02:30）."""
    due = words.moment(clock.due_at, now)
    return f"{clock.kind.word}已逾期（{due}）" if clock.due_at <= now else f"{due}前{clock.kind.word}"


def overview(directory: Directory, incidents: Sequence[Incident], *, complete: bool) -> str:
    """The answer to 查询 without a code, when several are open."""
    count = counted(incidents, complete=complete)
    return (
        f"您有{count}未关闭：{listed(directory, incidents, complete=complete)}。"
        f"看详情请回复“查询 编号”，如“查询 {incidents[0].code}”。"
    )


def help_text(emergency: str, *, officer: bool) -> str:
    own = (
        "“催办 编号”提醒下级；“批准 编号”“不批准 编号 原因”答复延期、消警、误报申请；"
        "“电话已通知 编号 通知了谁、结果”；“系统已反馈 编号”。\n"
        if officer
        else "“延期 2小时 原因”须上级批准；“转派 姓名”转给本单位同事；“消警”“误报”是申请，不会直接关闭。\n"
    )
    return (
        "回复“1”或“签收”即签收；“核查 原因”“处置 情况”报告结果；有多条时加编号，如“签收 A0231”。\n"
        f"{own}"
        "点错了马上回“撤回”；“待办”看我该办的，“查询”看未关闭的，“为什么”看为何通知我。\n"
        f"发生着火、爆炸、泄漏、伤亡等事故，请立即拨打{emergency}。"
    )


def meant(verb: Verb, slip: str, codes: Sequence[str]) -> str:
    """A word that only sounds like an order: asked back, nothing done."""
    code = f" {codes[0]}" if len(codes) == 1 else ""
    return f"“{slip}”是不是“{verb.word}”？本次未记录。如果是，请回复“{verb.word}{code}”。"


def not_yet(verb: Verb) -> str:
    """Read, and not to be done by an answer yet: what to do instead."""
    return f"“{verb.word}”目前还不能通过回复办理，未作任何记录。{_INSTEAD[verb]}"


def nothing_done() -> str:
    return "没有找到您最近的操作，未撤回。如需指明，请回复“撤回 编号”。"


def why_which(directory: Directory, incidents: Sequence[Incident], *, complete: bool) -> str:
    shown = listed(directory, incidents, complete=complete)
    count = counted(incidents, complete=complete)
    return f"您有{count}未关闭：{shown}。请回复“为什么 编号”，如“为什么 {incidents[0].code}”。"


_LOST = "没有看懂，未作任何记录。"
_UNLISTED = "您好，本号码未登记在通讯录，未作任何记录。"


def is_lost(answer: str) -> bool:
    """Whether this answer says no more than that nothing could be made of a message."""
    return answer.startswith((_LOST, _UNLISTED))


def not_understood(cause: str) -> str:
    if cause:
        return f"{_LOST}如要报告核查结果，请回复“核查 {cause}”；签收请回复“1”；帮助请回复“帮助”。"
    return (
        f"{_LOST}签收请回复“1”或“签收 编号”，报告请回复“核查 原因”或“处置 情况”，查看请回复“查询”，说明请回复“帮助”。"
    )


def stranger(directory: Directory) -> str:
    room = directory.unit_name(directory.fallback_unit) + Role.DUTY_ROOM.word
    return f"{_UNLISTED}如需登记或有情况反映，请联系{room}。"


def unproven(at: int) -> str:
    """A message in somebody's name that does not prove to be theirs: they hear that nothing was done. It quotes
    nothing: whoever wrote it shall say nothing in the hub's name."""
    return (
        f"{words.local(at):%m月%d日 %H:%M}收到一封以您的地址发来的邮件，其中没有本系统发给您的答复凭据，"
        "无法确认是您本人，未作任何记录。请在收到的警情邮件上直接点“回复”，或改用短信、本人专用页面。如果不是您发的，请告知系统维护员。"
    )


def not_yours(code: str) -> str:
    return f"{code} 不属于您的岗位，不能查询。"


def also(verbs: Iterable[Verb], codes: Sequence[str]) -> str:
    """One message does one thing: what else was read is named, so that nobody believes it done."""
    code = f" {codes[0]}" if len(codes) == 1 else " 编号"
    names = [verb.word for verb in verbs]
    return f"“{'”“'.join(names)}”未办理，请另发“{names[0]}{code}”。" if names else ""


def accident(directory: Directory, code: str, emergency: str) -> str:
    room = directory.unit_name(directory.fallback_unit) + Role.DUTY_ROOM.word
    number = f"（编号{code}）" if code else ""
    return (
        f"收到您的事故信息{number}，正在通知{room}，请保持电话畅通。"
        f"如有人员危险或火情，请立即拨打{emergency}。{NO_REPLACEMENT}"
    )


def not_with_accident(verb: Verb) -> str:
    return f"消息中有事故字样，“{verb.word}”未受理；确认安全后请另发。"


def damaged(code: str) -> str:
    """How an incident stands whose record cannot be read."""
    return f"{code} 的记录暂时无法读取，可能仍须处置，请电话询问值班室。"


def damaged_meant(code: str, verb: Verb) -> str:
    """The same to whoever wrote without a code and may mean that one."""
    return f"{damaged(code)}本次未记录，如指它，请回复“{verb.word} {code}”，系统会登记并转告值班室。"
