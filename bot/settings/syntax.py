"""What the TOML reader stumbled over, in words an administrator knows: where it is, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.settings.catalogue import Pair

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_WORD = re.compile(r"(?i)(true|false|yes|no|on|off|是|否)\b")
_LONG_NUMBER = re.compile(r"\d{4000,}")
_DEEP = re.compile(r"[\[{]{30,}")

# What a Chinese keyboard writes, and what TOML wants there.
_WIDE = {
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "，": ",",
    "、": ",",
    "＝": "=",
    "：": "=",
    "［": "[",
    "］": "]",
    "【": "[",
    "】": "]",
    "｛": "{",
    "｝": "}",
    "。": ".",
    "．": ".",
    "＃": "#",
    "　": " ",
}

SYNTAX: Mapping[str, Pair] = {
    "Invalid statement": ("这一行不是“名称 = 值”，也不是 [表]", "this line is neither a key = value nor a [table]"),
    "Expected newline or end of document": (
        "值后面多了内容，或值没有加引号",
        "something follows the value, or the value lacks its quotes",
    ),
    "Invalid initial character for a key part": ("名称的开头不对", "a name cannot begin like this"),
    "Expected '=' after a key": ("名称后面缺等号", "an equals sign is missing after the name"),
    "Expected ']": ("缺右方括号 ]", "a closing bracket ] is missing"),
    "Cannot overwrite a value": ("同一个名称写了两次", "the same name is written twice"),
    "Cannot declare": ("同一张表写了两次", "the same table is written twice"),
    "Cannot mutate immutable namespace": ("这张表已经写完，不能再补", "this table was complete and cannot be added to"),
    "Cannot redefine namespace": ("这张表已在别处写过", "this table was written elsewhere"),
    "Duplicate inline table key": ("花括号里同一个名称写了两次", "the same name stands twice in the braces"),
    "Unclosed array": ("数组缺右方括号，或两项之间缺逗号", "a list lacks its closing bracket, or a comma"),
    "Unclosed inline table": ("缺右花括号，或两项之间缺逗号", "a closing brace is missing, or a comma"),
    "Unterminated string": ("字符串缺右引号", "a text lacks its closing quote"),
    "Illegal character": (
        "有不允许的字符（字符串是否缺右引号？）",
        "a character that is not allowed (is a closing quote missing?)",
    ),
    "Found invalid character": (
        "有不允许的字符（字符串是否缺右引号？）",
        "a character that is not allowed (is a closing quote missing?)",
    ),
    "Unescaped '\\'": ("反斜杠要写成 \\\\，或改用单引号", "write a backslash as \\\\, or use single quotes"),
    "Invalid value": ("值的写法不对：文字要加英文引号", "not a value: text needs straight quotes"),
    "Invalid date or datetime": ("没有这个日期或时间", "there is no such date or time"),
}


def fault(text: str, said: str) -> tuple[int, int, Pair]:
    """Line and column (from 1) and the words for what ``tomllib`` said of ``text``."""
    lines = text.splitlines() or [""]
    at = _AT.search(said)
    line, column = len(lines), len(lines[-1]) + 1
    if at and at[1]:
        line, column = int(at[1]), int(at[2])
    elif at is None:
        # What is too long or too deep comes without a place.
        for found, words in (
            (_LONG_NUMBER.search(text), ("这个数字太长", "this number is too long")),
            (_DEEP.search(text), ("括号嵌套太深", "brackets are nested too deep")),
        ):
            if found is not None:
                before = text[: found.start()]
                return before.count("\n") + 1, found.start() - before.rfind("\n"), words
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    return line, column, _words(rest, lines[line - 1].strip() if line <= len(lines) else "", said)


def _words(rest: str, whole: str, said: str) -> Pair:
    if rest[:1] in _WIDE:
        wide, right = rest[0], _WIDE[rest[0]]
        if wide == "\u3000":
            return "这里是全角空格，要用普通空格", "a full-width space: use an ordinary one"
        return f"这里是中文标点 {wide} ，要写英文的 {right}", f"a full-width {wide}: write {right}"
    if said.startswith("Invalid value") and _WORD.match(rest):
        return "真假只能写小写的 true 或 false", "write true or false, in lower case"
    if said.startswith("Cannot overwrite a value") and whole.startswith("[["):
        name = whole.strip("[] ")
        return (
            f"前面有一个 [{name}]：列表的每一项都要写两层方括号 [[{name}]]",
            f"an earlier table is [{name}]: each row of a list is [[{name}]]",
        )
    return next((pair for start, pair in SYNTAX.items() if said.startswith(start)), ("写法不对", "not valid"))
