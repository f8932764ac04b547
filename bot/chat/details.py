"""What else a verb needs to know: to whom, how long, which limit, which request. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.lengths import length_in
from escalation.vocabulary import ClockKind, Verb

_HANDED = re.compile(
    r"(?:转派|转办|转交|移交|改派|指派|转给|派给|交给|转)(?:给|至|到|由)?[:：]?(?P<to>[^，,。.;；:：、!！\n]{1,20})?"
)
_AROUND = " \t\"'“”‘’[]【】<>《》()（）~～?？*-—_"
_AFTER_NAME = re.compile(r"(?:同志|师傅|来|去)?(?:处理|办理|负责|处置|核查|跟进|去看|看一下|看看|就行|吧|了)*+$")
_CLOCKS = (
    (ClockKind.VERIFY, re.compile(r"核查|核实")),
    (ClockKind.FEEDBACK, re.compile(r"反馈")),
    (ClockKind.SIGN, re.compile(r"签收")),
    (ClockKind.CLEAR, re.compile(r"消警|销警|处置|整改")),
)
_OBJECTS = (
    (Verb.EXTEND, re.compile(r"延期|延时|延长|宽限|推迟|顺延")),
    (Verb.FALSE_ALARM, re.compile(r"误报")),
    (Verb.CLEAR, re.compile(r"消警|销警")),
    (Verb.TRANSFER, re.compile(r"转派|转办|转交")),
    (Verb.FED_BACK, re.compile(r"反馈")),
    (Verb.VERIFY, re.compile(r"核查|核实")),
    (Verb.DISPOSE, re.compile(r"处置|处理")),
    (Verb.PHONED, re.compile(r"电话")),
    (Verb.APPROVE, re.compile(r"批准|同意")),
    (Verb.SIGN, re.compile(r"签收|收到")),
)
_JUDGED = (Verb.EXTEND, Verb.FALSE_ALARM, Verb.CLEAR)
_REASON = re.compile(
    r"^(?:的?(?:申请|时限|时间|要求|请求|处理)|(?:原因|理由)(?:是|为|(?=[，,：:。]))|因为?|由于|是|，|,|：|:|。|\s)+"
)
_ASKED = re.compile(r"(?:我们?|现|想|要|需要?|希望|特|再|请求?|申请|批准|给予?|能|可以)++$")

_HUSK = re.compile(r"(?:系统|官方)?(?:核查|核实|消警|销警|处置|处理|整改|反馈|签收)?的?(?:时限|时间|期限)?")


@dataclass(frozen=True, slots=True)
class Details:
    """``to`` whom as said; ``minutes`` or ``until`` (ms); ``clock`` whose limit; ``of`` which request or act."""

    to: str = ""
    minutes: int = 0
    until: int = 0
    clock: ClockKind | None = None
    of: Verb | None = None


NO_DETAILS = Details()


def details(verb: Verb | None, text: str, said: str, now: int) -> tuple[Details, str | None]:
    """The details of a verb in a packed, folded text without its codes, and the reason left when they are taken out
    (None where the text as a whole is the reason). ``said`` is the word that was taken for the verb."""
    low = text.lower()
    if verb is Verb.TRANSFER:
        return _transfer(text)
    if verb is Verb.EXTEND:
        length = length_in(low, now)
        clock = next((kind for kind, pattern in _CLOCKS if pattern.search(_near(low, said))), None)
        return Details(minutes=length.minutes, until=length.until, clock=clock), _left(low, text, said, length.said)
    if verb in (Verb.APPROVE, Verb.REFUSE):
        of = next((one for one, pattern in _OBJECTS if one in _JUDGED and pattern.search(low)), None)
        length = length_in(low, now) if verb is Verb.APPROVE else length_in("", now)
        reason = _left(low, text, said, length.said)
        return Details(minutes=length.minutes, until=length.until, of=of), _without_object(reason)
    if verb is Verb.UNDO:
        after = low.partition(said)[2]
        of = next((one for one, pattern in _OBJECTS if pattern.search(after[:8])), None)
        return Details(of=of), None
    return Details(), None


def _transfer(text: str) -> tuple[Details, str | None]:
    match = _HANDED.search(text)
    if match is None or not match["to"]:
        return Details(), None
    to = _AFTER_NAME.sub("", match["to"].strip(_AROUND))
    rest = f"{text[: match.start()]}，{text[match.end() :]}".strip("，,。；;：: ")
    return Details(to=to or match["to"].strip(_AROUND)), rest


def _near(low: str, said: str) -> str:
    """The clause that says it, before the word: 核查延期, 消警时限延长."""
    before = low.partition(said)[0] if said else low
    return re.split(r"[，,。;；\n]", before)[-1][-8:]


def _left(low: str, text: str, said: str, length: str) -> str:
    """The text without the verb, the length and what joins them: a reason, or nothing."""
    spans = [low.find(part) for part in (said, length)]
    cuts = sorted((at, at + len(part)) for at, part in zip(spans, (said, length), strict=True) if part and at >= 0)
    pieces: list[str] = []
    place = 0
    for start, end in cuts:
        pieces.append(text[place:start])
        place = max(place, end)
    pieces.append(text[place:])
    kept = [_REASON.sub("", _ASKED.sub("", piece.strip("，,。；;：: \n"))) for piece in pieces]
    return "，".join(piece for piece in (each.strip("，,。；;：: \n") for each in kept) if not _HUSK.fullmatch(piece))


def _without_object(reason: str) -> str:
    return re.sub(r"^(?:延期|延长|消警|销警|误报)?的?(?:申请|请求|要求)?[，,：:。 ]*", "", reason)
