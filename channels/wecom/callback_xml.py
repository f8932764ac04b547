"""The XML of WeCom's call-backs, read without document types, entities or depth. Pure."""

from __future__ import annotations

from xml.parsers import expat

LONGEST = 256 * 1024
"""How long a call-back's body may be, in bytes."""
_DEEPEST = 6
_MOST = 200


class XmlError(ValueError):
    """No XML of the vendor's shape; the words are fit for a log."""


def read_xml(body: bytes | str) -> dict[str, str]:
    """Every element that holds text, by its path below the root: ``{"FromUserName": …, "SelectedItems/SelectedItem/
    QuestionKey": …}``. Of several with one path the first counts.

    Raises :class:`XmlError` for what is too long or deep, is not well-formed, or brings a document type of its own.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if len(raw) > LONGEST:
        raise XmlError(f"XML 超过 {LONGEST} 字节")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise XmlError(f"XML 不完整或有误：{expat.ErrorString(error.code)}") from None
    return reader.found


def _refuse(*_: object) -> None:
    raise XmlError("XML 中不得有 DTD 或实体声明")


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._texts: list[str] = []

    def start(self, name: str, _: object) -> None:
        if len(self._path) >= _DEEPEST or len(self.found) >= _MOST:
            raise XmlError("XML 嵌套过深或元素过多")
        self._path.append(name)
        self._texts = []

    def text(self, part: str) -> None:
        self._texts.append(part)

    def end(self, _: str) -> None:
        text = "".join(self._texts).strip()
        path = "/".join(self._path[1:])
        if path and text:
            self.found.setdefault(path, text)
        self._path.pop()
        self._texts = []
