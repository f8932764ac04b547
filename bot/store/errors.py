"""What can go wrong between the hub and its store.

Each text says what, where, and what to do; Chinese line first, then English.
"""

from __future__ import annotations


class StoreError(Exception):
    """Any failure of the store or of its surroundings."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


class HubRunningError(StoreError):
    """Another hub holds this data folder."""


class StoreRefusedError(StoreError):
    """The data folder cannot be used as it is, and a person has to decide.

    Corrupt files, foreign owner, no server binary.
    """


class StoreDownError(StoreError):
    """The server did not come up or does not answer; the supervisor tries again by itself."""


class StoreUnavailableError(StoreError):
    """A command got no answer. `sent` is False when it certainly never left, so that nothing can have happened."""

    def __init__(self, zh: str, en: str, *, sent: bool) -> None:
        super().__init__(zh, en)
        self.sent = sent


class StrangerError(StoreUnavailableError):
    """Another server leads than the one that was compared with the anchor; it is given nothing before it was."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"存储的主节点换成了 {server}，与锚点比对之后再使用。",
            f"another server of the store leads now, {server}; it is compared with the anchor before it is used.",
            sent=False,
        )


class NotDurableError(StoreError):
    """The write happened in memory, but WAITAOF counted fewer disks than asked; it may still be lost."""

    def __init__(self, asked: tuple[int, int], counted: tuple[int, int]) -> None:
        super().__init__(
            f"写入尚未落盘：要求本机 {asked[0]} 份、副本 {asked[1]} 份，实际 {counted[0]}、{counted[1]} 份。"
            "检查存储的磁盘与副本。",
            f"write not on disk yet: asked for {asked[0]} local and {asked[1]} replica fsyncs, counted {counted[0]} "
            f"and {counted[1]}. Look at the store's disk and its replicas.",
        )
        self.asked = asked
        self.counted = counted


class UnsafeStoreError(StoreError):
    """An external store can lose accepted events, or does not say, and the TOML does not accept that."""


class BadStoreUrlError(StoreError):
    """The `store` setting is no address of a known kind."""


class AnchorUnreadableError(StoreError):
    """The anchor file exists and is no anchor."""


class AnchorStaleError(StoreError):
    """Somebody saved a newer anchor to the same file."""
