"""One form for what people type, so that width, case, invisible signs and quoting never change how it is read."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARS = 1000
"""Longer messages are read to here; nobody answers an alarm in more, and normalising may make text longer."""

_SIMPLE = str.maketrans(
    "簽處誤報確認詢幫實電話饋覆復傷燒燙壓著險際煙無沒請見轉給長準駁銷辦為爲麼備檢緊傳設線維藝動爐號車間隱掃換崗應時鐘點個兩後"
    "過還錯發會氣預級現場結說嗎誰這樣來係統臺將馬問驗數據溫閥門關閉機廠塵鋁鋼員負責領導組隊調試斷壞異墜觸單並當該開們經從產運"
    "輸穩測監儀錶燈風聯絡絕務對陽災毀搶滅撲條項達區縣鎮園業國視頻離網遲緩寬順週內裡裏讓幾憑",
    "签处误报确认询帮实电话馈复复伤烧烫压着险际烟无没请见转给长准驳销办为为么备检紧传设线维艺动炉号车间隐扫换岗应时钟点个两后"
    "过还错发会气预级现场结说吗谁这样来系统台将马问验数据温阀门关闭机厂尘铝钢员负责领导组队调试断坏异坠触单并当该开们经从产运"
    "输稳测监仪表灯风联络绝务对阳灾毁抢灭扑条项达区县镇园业国视频离网迟缓宽顺周内里里让几凭",
)
_SIGNATURE = re.compile(r"【[^【】]{0,60}】")
_QUOTED = re.compile(r"「[^」]*」|『[^』]*』|^[ \t]*>.*$|^[ \t]*[-—–_=][-—–_= ]{3,}[ \t]*$", re.MULTILINE)
_ORIGINAL = re.compile(
    r"^[-— \t]*(?:原始邮件|原始短信|转发的邮件|original message|发件人:|from:|在[^\n]{0,60}写道:|"
    r"on [^\n]{0,80}wrote:).*",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_MENTION = re.compile(r"@烽火(?:助手|机器人|小助手)?|@[^\s@]{1,30}(?=\s|$)")
_EMOTICON = re.compile(r"\[[\u4e00-\u9fffA-Za-z]{1,4}\]")
_HAS_WORDS = re.compile(r"[^\W\d_]|(?<![a-z0-9])1(?![0-9])", re.IGNORECASE)
_CODE_LIKE = re.compile(r"(?<![a-z0-9])[aw][ \-_#.]{0,3}\d+", re.IGNORECASE)
_AUTOMATIC = re.compile(r"自动(?:回复|答复|应答)|autoreply|auto-reply|automaticreply|outofoffice")


def sound(text: str) -> str:
    """The text as UTF-8 can carry it, cut to what is read at all."""
    return text[:MOST_CHARS].encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """NFKC, simplified signs for the words we know, without invisible signs, quotes of what was answered,
    calls by name and SMS signatures. Lines stay lines; all other white space is one space."""
    kept = _visible(unicodedata.normalize("NFKC", sound(text))[:MOST_CHARS]).translate(_SIMPLE)
    kept = _MENTION.sub(" ", _ORIGINAL.sub("", _QUOTED.sub("\n", kept)))
    bare = _SIGNATURE.sub(_without_frame, kept)
    # Who puts the answer itself in 【】 still answered.
    if not _HAS_WORDS.search(_CODE_LIKE.sub("", bare)):
        bare = kept
    # [OK] as a sign between words is none of them; alone it is the answer.
    calm = _EMOTICON.sub(" ", bare)
    if _HAS_WORDS.search(_CODE_LIKE.sub("", calm)):
        bare = calm
    return "\n".join(" ".join(line.split()) for line in bare.splitlines()).strip()


def quoted(text: str) -> str:
    """What of a message is not its own: the original that it answers, as chat and mail put it around an answer."""
    kept = _visible(unicodedata.normalize("NFKC", sound(text))[:MOST_CHARS])
    return "\n".join(match[0] for quote in (_QUOTED, _ORIGINAL) for match in quote.finditer(kept))


def _without_frame(signature: re.Match[str]) -> str:
    """Nothing of an SMS signature; but a code in such brackets is no signature."""
    return f" {signature[0][1:-1]} " if _CODE_LIKE.search(signature[0]) else "\n"


def is_automatic(text: str) -> bool:
    """Whether a machine wrote this (an absence notice, a phone's driving mode): not to be acted on nor answered."""
    packed = "".join(_visible(unicodedata.normalize("NFKC", sound(text))).translate(_SIMPLE).lower().split())
    return _AUTOMATIC.search(packed) is not None


def _visible(text: str) -> str:
    kept: list[str] = []
    for char in text:
        category = unicodedata.category(char)
        if char in "\n\r\u2028\u2029":
            kept.append("\n")
        elif category == "Zs" or char in "\t\v\f":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"):
            kept.append(char)
    return "".join(kept)
