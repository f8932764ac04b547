"""How a message is read: its verbs, the codes, a cause and other details, the rest, and accident words. Pure.

Strict about what acts: negations, questions, conditions, requests to others and talk are none; in doubt nothing is done
and the sender is asked. A number that may be a mistyped code is kept among the codes, so that a wrong code is answered
as wrong and never falls back on another item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.accidents import accident_words
from bot.chat.corrections import without_taken_back
from bot.chat.details import NO_DETAILS, Details, details
from bot.chat.folding import MOST_CHARS, folded, is_automatic, quoted
from bot.chat.slips import slip_in, sounds_signed
from bot.chat.talk import is_no_answer
from bot.chat.verbs import (
    AFTERWARDS,
    ASKING,
    ASKING_END,
    CAUSES,
    DONE_AFTER,
    DONE_BEFORE,
    ENDED,
    FILLERS,
    GOVERNORS,
    HARMLESS,
    KNOWN,
    LAST_CAUSES,
    LATER,
    LATER_TODAY,
    NAMED_POST,
    NEGATION,
    OK,
    ONE,
    READING,
    SIGNED_BEFORE,
    SIGNED_HOW,
    TABLE,
    TAG,
    Word,
)
from escalation.ledger.keys import read_code
from escalation.vocabulary import Verb

_ONE_BEFORE_CODE = re.compile(r"(?<![a-z0-9.:])1(?=[aw][ \-_#.]{0,3}\d)", re.IGNORECASE)
CODE = re.compile(r"(?<![a-z0-9])([aw])[ \-_#.:]{0,3}([0-9]+)(?!\d)(?=ok(?:ay)?(?![a-z])|[^a-z0-9]|$)", re.IGNORECASE)
_SPOKEN = re.compile(
    r"(?<![A-Za-z0-9])([AaWw])[ \-]{0,2}((?:[零〇洞一幺二两三四五六七八九拐勾] ?){3,9})(?![万千百十点0-9])"
)
_SPOKEN_FIGURES = dict(zip("零〇洞一幺二两三四五六七八九拐勾", "0001122345678979", strict=True))
_GLUED = re.compile(r"(?<![A-Za-z0-9])([AaWw][0-9]{3,})(?=[AaWw][0-9]{3,})")
_JOINED = re.compile(
    r"(?:(?<=\d)\s*(?:和|与|以?\s*及|跟|还\s*有)|编\s*号\s*(?:是|为)?\s*:?)\s*(?=[aw][ \-_#.:]{0,3}\d)",
    re.IGNORECASE,
)
"""What only joins codes, or announces one."""
_LABEL = re.compile(r"(?:原\s*因|理\s*由)\s*(?:是|为)?\s*[:：]")
"""What announces a reason: it parts it from the word before, as a comma would."""
_ANNOUNCED = re.compile(rf"^(?:申\s*请|请\s*求?)?\s*{_LABEL.pattern}")
_SPACED = re.compile(r"(?<![a-z0-9])([aw])[^\S\n]?((?:[0-9][^\S\n]){3,9}[0-9])(?![^\S\n]?[\d号点.:])", re.IGNORECASE)
"""A code whose figures somebody set apart: a 0 2 3 1."""
_GAP = "\x02"
_BETWEEN = re.compile(r"(?<=[a-z0-9])\s+(?=[a-z0-9])")
_MARKS = re.compile(rf"(?:(?<!\d)[.:]|[.:](?!\d)|[^\w℃%{_GAP}.:])+")
_TOKEN = re.compile(
    r"(?<![a-z0-9.:])([a-z]{0,2}[0-9oi]+)(?![a-z0-9.:%℃]|\s*(?:%|℃)|\s*(?:分|点|时|小时|号|度|秒|天|个|人|台|名|年|月|日|米|次|转|条))"
)
_FREE_TEXT = frozenset({Verb.VERIFY, Verb.DISPOSE})
_MINE = re.compile(r"(?:我们?|本人|我方|我厂|我司)$")
"""我处理 by itself: somebody is going to."""
_SIGNED_FIRST = re.compile(r"^已?签收了?$")
"""签收处置已停机: two orders without a comma, of which the second says the first."""
_SAID = re.compile(r"(?<=[复送入写])\s*[\"“'‘]")
"""请回复“收到”: the quotation mark parts nothing."""
_RAN_ON = re.compile(
    rf"^(\W*(?:喂|嗯|好的?|我们?|已经?|那个|[a-z0-9{_GAP}])*+收到[了啦]?[啊哦呀哈]?)"
    r"(?=(?:那个|然后)?我们?(?:马上|现在|这就|立即|立刻|叫|让|派|安排|去))"
)
"""Where a voice left out the comma: 收到了我马上叫人去看看是什么情况."""
_REASONED = frozenset({Verb.TRANSFER, Verb.EXTEND, Verb.APPROVE, Verb.REFUSE, Verb.URGE})
_SIGNS = frozenset({"1"})
"""Figures that sign, and are no code."""
_MISTYPED = re.compile(r"0\d{3,}|[aw][0-9oi]{3,}|[a-z]0\d{3}")
_NEGATED = re.compile(rf"(?:{NEGATION}|排除)\w{{0,3}}$")
_HAN = "[\u4e00-\u9fff]"
_WIDE = str.maketrans(",;:!?", "，；：！？")
_HUSKS = frozenset({"申请", "请求", "请", "建议", "我", "已", "已经", "好", "好的", "了", "现", "现场"})
_EDGES = " \t\n,.;:!?，。；：！？、…~～-—_/|()（）\"'“”‘’[]【】<>《》#*+="


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as read. ``codes`` are incident codes as written out (``A0231``), or what stood where a code would
    stand and is none. ``cause`` is one of the list, ``rest`` what else was said, ``emergency`` the accident words that
    nobody denied, ``more`` further verbs that were read; ``automatic`` says that a machine wrote it. ``slip`` is the
    word that only sounds like ``verb``: then the sender must be asked. ``everything`` are all verbs that were meant.
    """

    verb: Verb | None
    codes: tuple[str, ...] = ()
    cause: str = ""
    rest: str = ""
    emergency: tuple[str, ...] = ()
    more: tuple[Verb, ...] = ()
    automatic: bool = False
    slip: str = ""
    details: Details = NO_DETAILS
    everything: tuple[Verb, ...] = ()


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    asked: bool


@dataclass(frozen=True, slots=True)
class _Found:
    verb: Verb
    said: str


def understand(text: str, now: int = 0, own: str = "") -> Understood:
    """Read one message of any channel. ``now`` (ms) is when it was written: without it no time of day is read. ``own``
    is the sender's name: 张三收到 is talk of another, but not from 张三. Never raises, whatever the text."""
    typed = folded(text)
    # Accident words are heard wherever they stand, orders only in what is no longer than an answer.
    emergency = accident_words(typed.lower())
    if is_automatic(text):
        return Understood(None, emergency=emergency, automatic=True)
    return replace(read(said_in(text, own), now), emergency=emergency)


def said_in(text: str, own: str = "") -> str:
    """The folded, packed text as far as it is read for orders, without the codes that it takes back; '' where nothing
    is left to be about."""
    said = packed(folded(text)[:MOST_CHARS])
    if own:
        said = re.sub(rf"(?<![给派让叫请]){re.escape(own)}(?=(?:已经?|也)?(?:签收|收到|收悉|知悉))", "", said)
    return without_taken_back(said) or ""


def read(typed: str, now: int) -> Understood:
    """Read a folded text, or a part of one, for all but accident words."""
    typed = _SPACED.sub(lambda match: match[1] + "".join(match[2].split()), typed)
    typed = _GLUED.sub(r"\1 ", _SPOKEN.sub(_figures, typed))
    plain = _ONE_BEFORE_CODE.sub("1 ", typed.lower())
    codes = tuple(dict.fromkeys(_written(match) for match in CODE.finditer(plain)))
    body = _LABEL.sub("，", CODE.sub(" ", _JOINED.sub(" ", plain)))
    clauses = [] if is_no_answer(plain) else _clauses(body)
    found = _found(clauses)
    verb = _chosen(found, clauses, body)
    slip = slip_in([clause.text for clause in clauses if not clause.asked]) if verb is None else None
    if slip is not None:
        verb = slip[0]
    if verb is None and _only_question_mark(plain):
        verb = Verb.HELP
    cause = _cause(clauses, verb)
    said = next((one.said for one in found if one.verb is verb), slip[1] if slip else "")
    if verb is not None and verb is not Verb.HELP:
        codes = tuple(dict.fromkeys((*codes, *_mistyped(body, verb, said, known=bool(codes)))))
    more_details, reason = details(verb, packed(_uncoded(typed)), said, now)
    return Understood(
        verb=verb,
        codes=codes,
        cause=cause,
        rest=_rest(typed, said, signed=verb is Verb.SIGN) if reason is None else SIGNED_BEFORE.sub("", _tidied(reason)),
        more=_more(found, verb),
        slip=slip[1] if slip else "",
        details=more_details,
        everything=tuple(dict.fromkeys(one.verb for one in found)),
    )


def quoted_codes(text: str) -> tuple[str, ...]:
    """The codes in the original that a message answers; of the words there nothing is read."""
    return tuple(dict.fromkeys(_written(match) for match in CODE.finditer(quoted(text).lower())))


def _figures(match: re.Match[str]) -> str:
    """A code as it is spoken: A零二三一, W洞洞四五."""
    return match[1] + "".join(_SPOKEN_FIGURES.get(char, "") for char in match[2])


def _uncoded(typed: str) -> str:
    return CODE.sub(" ", _JOINED.sub(" ", _ONE_BEFORE_CODE.sub("1 ", typed)))


def packed(text: str) -> str:
    """The text with spaces only between Latin words and numbers."""
    return re.sub(r"(?<![A-Za-z0-9])[^\S\n]+|[^\S\n]+(?![A-Za-z0-9])", "", text)


def _written(match: re.Match[str]) -> str:
    raw = f"{match[1]}{match[2]}".upper()
    return read_code(raw) or raw[:24]


def _clauses(body: str) -> list[_Clause]:
    found: list[_Clause] = []
    for line in body.split("\n"):
        # Spaces never part words; only two numbers or Latin words would run into each other without them.
        line = _SAID.sub("", line)
        packed = _RAN_ON.sub(r"\1，", re.sub(r"\s+", "", _BETWEEN.sub(_GAP, line)))
        marks = [*_MARKS.findall(packed), ""]
        parts = _MARKS.split(packed)
        if len(marks) < len(parts):
            marks.append("")
        found += [_Clause(part.strip(_GAP), "?" in mark) for part, mark in zip(parts, marks, strict=False) if part]
    return [clause for clause in found if clause.text]


def _found(clauses: list[_Clause]) -> list[_Found]:
    """Every verb that is meant, in the order of the text; nothing where the whole is turned into a question."""
    if any(TAG.match(clause.text) for clause in clauses):
        return []
    found: list[_Found] = []
    for clause in clauses:
        meant = [(at, one) for word in TABLE for at, one in _meant(word, clause)]
        found += _governed([one for _, one in sorted(meant, key=lambda pair: pair[0])])
    return found


def _governed(meant: list[_Found]) -> list[_Found]:
    """撤回签收, 批准延期, 催办核查: what stands in the clause of such a word is its object and no order of its own."""
    governor = next((one for verb in GOVERNORS for one in meant if one.verb is verb), None)
    return meant if governor is None else [governor]


def _meant(word: Word, clause: _Clause) -> list[tuple[int, _Found]]:
    masked = HARMLESS.sub(lambda match: "好" * len(match[0]), clause.text)
    meant: list[tuple[int, _Found]] = []
    for match in word.said.finditer(masked):
        before, after = masked[: match.start()], masked[match.end() :]
        if _asked(word, clause, before, masked) or word.after.match(after) or (word.leads and AFTERWARDS.match(after)):
            continue
        done = bool(DONE_BEFORE.search(before) or DONE_AFTER.match(after))
        if word.before.search(_without_done(before) if done and word.leads else before):
            continue
        if word.leads and (_to_come(word, before, after, done) or not _leads(word, before, done)):
            continue
        meant.append((match.start(), _Found(word.verb, match[0])))
    return meant


def _to_come(word: Word, before: str, after: str, done: bool) -> bool:
    """我处理, 下午处理完: somebody is going to."""
    mine = not done and word.verb in _FREE_TEXT and not after and _MINE.search(before) is not None
    return mine or (ENDED.match(after) is None and LATER_TODAY.search(before) is not None)


def _asked(word: Word, clause: _Clause, before: str, masked: str) -> bool:
    return clause.asked or bool(ASKING.search(before if word.asked_before else masked) or ASKING_END.search(masked))


def _without_done(before: str) -> str:
    """已由电工处理: who did it does not make it a request; a negation, a condition, or that somebody is told to do it
    (已要求尽快处理完毕) still does."""
    told = r"(?:请|派|安排|叫|让|通知|去|马上|立即|立刻|及时)" if re.search("已|经", before) else "(?:派|叫|让|去|及时)"
    return re.sub(told, "", before)


def _leads(word: Word, before: str, done: bool) -> bool:
    led = FILLERS.sub("", re.sub(rf"[a-z0-9{_GAP}]+(?:[和与及跟]+(?=[a-z0-9]))?", "", before))
    if before and led and word.verb in _FREE_TEXT:
        led = _SIGNED_FIRST.sub("", led)
    if word.verb is Verb.SIGN:
        led = SIGNED_HOW.sub("", led)
        return not led or NAMED_POST.search(led) is not None
    if not led:
        return True
    return done or (word.verb is Verb.VERIFY and any(pattern.search(led) for _, pattern in CAUSES))


def _chosen(found: list[_Found], clauses: list[_Clause], body: str) -> Verb | None:
    first = clauses[0].text if clauses else ""
    for verb, pattern in READING:
        if pattern.search(first):
            return verb
    if not found:
        later = next((verb for clause in clauses for verb, pattern in LATER if pattern.search(clause.text)), None)
        if later is not None:
            return later
    verbs = [one.verb for one in found]
    if Verb.VERIFY in verbs:
        verbs = [verb for verb in verbs if verb is not Verb.FALSE_ALARM]
    doing = next((verb for verb in verbs if verb is not Verb.SIGN), None)
    if doing is not None:
        return doing
    return Verb.SIGN if verbs or _bare_signature(clauses, body) else None


def _bare_signature(clauses: list[_Clause], body: str) -> bool:
    """1 or OK by itself, or as the first clause of a message without other numbers; 1号… and 1、…2、… are text."""
    if not clauses or clauses[0].asked:
        return False
    first = clauses[0].text
    if sounds_signed(first) or (KNOWN.match(first) and not any(_asks(clause) for clause in clauses)):
        return True
    one = ONE.match(first.replace(_GAP, "")) if _GAP not in first else ONE.match(first.split(_GAP)[0])
    if one:
        alone = len(clauses) == 1
        others = re.findall(r"\d+(?:[.:]\d+)*", body)[1:]
        listed = re.match(r"^(?:回复?|复)?\s*1\s*[、.)）:]\s*\S", body.lstrip())
        return alone or not (others or listed)
    return OK.match(first) is not None and not _asks(clauses[0])


def _asks(clause: _Clause) -> bool:
    return clause.asked or bool(ASKING.search(clause.text) or ASKING_END.search(clause.text))


def _only_question_mark(plain: str) -> bool:
    return "?" in plain and re.search(r"\w", plain) is None


def _cause(clauses: list[_Clause], verb: Verb | None) -> str:
    for cause, pattern in CAUSES:
        if cause in LAST_CAUSES and verb is not Verb.VERIFY:
            continue
        for clause in clauses:
            match = pattern.search(clause.text)
            if match and not _NEGATED.search(clause.text[: match.start()]):
                return cause
    return ""


def _mistyped(body: str, verb: Verb, said: str, *, known: bool) -> list[str]:
    """What stands where a code would stand: a number without its letter, a wrong letter, O for 0. In the free text of
    a verification, a disposal or a reason only what can hardly be anything else."""
    found: list[str] = []
    free = verb in _FREE_TEXT or (verb in _REASONED and re.search(_HAN, packed(body).replace(said, "")) is not None)
    for match in _TOKEN.finditer(body):
        token = match[1]
        digits = sum(char.isdigit() for char in token)
        if verb is Verb.SIGN and digits == len(token) <= 2 and token not in _SIGNS and _beside(body, match, said):
            found.append(token)
        elif free:
            if not known and _MISTYPED.fullmatch(token):
                found.append(token.upper())
        elif digits >= 2 and len(token) >= 3 and not (token.isdigit() and len(token) > 6):
            found.append(token.upper()[:24])
    return found


def _beside(body: str, number: re.Match[str], said: str) -> bool:
    """签收 45, 2收到: nothing else in the clause to which the number could belong."""
    clause = re.split(r"[^\w\s]", body[: number.start()])[-1] + re.split(r"[^\w\s]", body[number.end() :])[0]
    return bool(said) and packed(clause).strip() == said


def _more(found: list[_Found], verb: Verb | None) -> tuple[Verb, ...]:
    """Verbs that were read and not chosen; verifying and disposing answer the same question."""
    if verb is None or not verb.acts:
        return ()
    skipped = {verb, Verb.SIGN, *(_FREE_TEXT if verb in _FREE_TEXT else ())}
    if verb is Verb.VERIFY:
        skipped.add(Verb.FALSE_ALARM)
    return tuple(dict.fromkeys(one.verb for one in found if one.verb not in skipped))


def _rest(typed: str, said: str, *, signed: bool) -> str:
    """What was said besides verb and codes, as it was typed, with spaces only between Latin words."""
    text = " ".join(_uncoded(typed).split())
    if said:
        spaced = r"\s*".join(re.escape(char) for char in said)
        whole = rf"(?:已\s*经?\s*)?{spaced}\s*(?:完\s*毕|完\s*成|完\s*了?|好\s*了|过\s*了?|了)?"
        text = re.sub(whole, " ", text, count=1, flags=re.IGNORECASE)
        text = text if signed else SIGNED_BEFORE.sub("", _tidied(text))
    elif signed:
        text = re.sub(r"^\W*(?:回\s*复?\s*)?(?:1|ok(?:ay)?)(?![a-z0-9])", "", text, count=1, flags=re.IGNORECASE)
    return _tidied(_ANNOUNCED.sub("", _tidied(text)))


def _tidied(text: str) -> str:
    text = re.sub(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])", "", text).strip(_EDGES)
    text = re.sub(rf"(?<={_HAN})[,;:!?]|[,;:!?](?={_HAN})", lambda match: match[0].translate(_WIDE), text)
    text = re.sub(r"([，；：！？,;:!?])[，；：！？,;:!?]+", r"\1", text)
    return "" if text in _HUSKS else text
