"""The wall's switches: a vendor that throttles, a gateway that is gone. The hub finds out by itself, as in real use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.controls import Refusal
from bot.demo.county import DINGTALK, FEISHU, ROBOTS
from bot.demo.simulators.dingtalk import DingtalkRobots
from bot.demo.simulators.feishu import FeishuRobots
from bot.demo.simulators.vendor import Door
from bot.demo.simulators.wecom import WecomRobots
from bot.demo.simulators.wecom_app import WecomApp

GATEWAY, APP = "gateway", "app"


@dataclass(frozen=True, slots=True)
class Troubles:
    """What can go wrong at the vendors, by name: ``gateway``, ``app``, or a group robot's channel."""

    door: Door
    app: WecomApp
    wecom: WecomRobots
    dingtalk: DingtalkRobots
    feishu: FeishuRobots

    @property
    def gateway_down(self) -> bool:
        return not self.door.is_open

    async def set(self, name: str, *, on: bool) -> None:
        """Let it go wrong, or mend it. Raises :class:`Refusal` for a name that is none."""
        if name == GATEWAY:
            await (self.door.shut() if on else self.door.open())
        elif name == APP:
            self.app.throttled = on
        elif name in ROBOTS:
            throttled = self._robots(name).throttled
            throttled.add(name) if on else throttled.discard(name)
        else:
            raise Refusal("没有这个开关")

    def _robots(self, name: str) -> WecomRobots | DingtalkRobots | FeishuRobots:
        if name == FEISHU:
            return self.feishu
        return self.dingtalk if name == DINGTALK else self.wecom

    def shown(self, groups: Mapping[str, str]) -> list[dict[str, Any]]:
        """The switches as the page gets them; ``groups`` are what the rooms' groups are called, by channel."""
        rows: list[dict[str, Any]] = [
            {"id": GATEWAY, "name": "短信网关", "is": "停机", "on": self.gateway_down},
        ]
        rows += [
            {
                "id": name,
                "name": groups[name],
                "is": "限流",
                "on": name in self._robots(name).throttled,
            }
            for name in reversed(ROBOTS)
        ]
        app = {"id": APP, "name": "企业微信应用", "is": "限流", "on": self.app.throttled}
        return [*rows, app]
