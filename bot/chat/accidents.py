"""Accident words: fire, explosion, leak, poisoning, people hurt or trapped. From anybody; in doubt they count.

A word does not count where it is only part of a thing's name (防爆, 泄爆片, 泄漏探头), or where it is denied. A denial
reaches its own word and those joined to it by 、和或, and no further: 爆炸了，无人员伤亡 is an emergency.
"""

from __future__ import annotations

import re

_PEOPLE = (
    r"伤亡|死亡|死人|死了|身亡|遇难|受伤|重伤|轻伤|烧伤|烫伤|灼伤|砸伤|压伤|摔伤|出人命|昏迷|晕倒|窒息|中毒|触电|溺水|坠落|"
    r"被困|被埋|被卷|人员失踪"
)
_THINGS = (
    r"着火|起火|失火|火灾|大火|冒火|明火|烧起来|烧着了|爆炸|爆燃|闪爆|闪燃|炸了|炸开|泄漏|泄露|坍塌|塌方|倒塌|垮塌|事故发生|发生事故|"
    r"出事故|出事了"
)
_WORD = re.compile(f"{_PEOPLE}|{_THINGS}")

_DEVICE = r"(?:探头|探测|检测|监测|监控|传感|报警器|报警仪|报警装置|报警系统|报警控制|报警主机|变送|仪|测试|试验|保护)"
_TALK = (
    r"(?:事故)?(?:应急)?(?:演练|演习|预案|培训|知识|宣传|隐患排查|风险辨识|风险评估|风险管控|防范|预防|防护|处置方案)"
)
_NAMES = re.compile(
    r"防爆\w?|泄爆\w?|抑爆|隔爆|爆破片|"
    rf"(?:{_PEOPLE}|{_THINGS})(?:气体|点|浓度|火灾|自动)?(?:{_DEVICE}|{_TALK})|"
    r"爆炸(?:性|极限|下限|上限|物品|控制|危险场所|危险区域|危险环境)|粉尘爆炸危险|着火源|点火源|泄[漏露]电流|死亡率|伤亡率|触电保护|"
    r"(?:信息|密码|数据|资料|隐私|秘密|账号)泄[漏露]|被困扰|动用?明火|明火作业|"
    rf"(?:防止?|预防|防范|避免|杜绝|严防|谨防|以防|假如|如果|万一|模拟)(?:发生|出现|引发|造成|再次|粉尘|煤气|燃气|人员|高处|气体){{0,3}}(?:{_PEOPLE}|{_THINGS})"
)

_NO = r"(?:没有|没|并无|无|未|不是|并非|并未|不存在|排除|不会|不再|是否|有没有|有无)"
_MATTER = r"(?:粉尘|煤气|燃气|氨气?|铝液|钢水|气体|液体|物料)?"
_BETWEEN = rf"(?:再|曾|有|发生|发现|出现|造成|导致|引发|产生|见|任何|明显|异常|其他|其它|是|什么){{0,4}}{_MATTER}"
_PERSONS = r"(?:造成|导致|有|发生|任何|现场|员工|工人|人员|职工|群众|一?人|一名|谁){0,4}"
# 电没了 着火了: a word with 了 after it has happened, whatever stands before it.
_DENIED_THING = re.compile(rf"(?:{_NO}{_BETWEEN}|不)(?:{_THINGS})(?!了)")
_DENIED_PEOPLE = re.compile(rf"(?:(?:{_NO}|零){_BETWEEN}{_PERSONS}|不)(?:{_PEOPLE})(?!了)")
_JOINED = re.compile(rf"(?:[、/]|和|或|或者|及|以及|与)?(?:人员|任何)?(?:{_PEOPLE}|{_THINGS})(?!了)")
_ASKED = re.compile(rf"(?:{_PEOPLE}|{_THINGS})(?:事故|情况|现象)?(?:了|过)?(?:吗|么)")


def accident_words(text: str) -> tuple[str, ...]:
    """The accident words of a folded text that nobody denied, each once, in order."""
    found: dict[str, None] = {}
    for line in text.split("\n"):
        packed = _blank(_NAMES, re.sub(r"\s+", "", line))
        packed = _blank(_ASKED, packed)
        packed = _undenied(packed)
        found |= dict.fromkeys(match[0] for match in _WORD.finditer(packed))
    return tuple(found)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: "＊" * len(match[0]), text)


def _undenied(text: str) -> str:
    """The text with denied words blanked out, and those joined to them."""
    for pattern in (_DENIED_PEOPLE, _DENIED_THING):
        start = 0
        while (match := pattern.search(text, start)) is not None:
            end = match.end()
            while (joined := _JOINED.match(text, end)) is not None:
                end = joined.end()
            text = text[: match.start()] + "＊" * (end - match.start()) + text[end:]
            start = end
    return text
