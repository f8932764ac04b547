"""What whoever runs the hub sets: who may read it over the API, who may see its metrics, how it writes its log."""

from __future__ import annotations

from datetime import time
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr

from escalation.directory import Id, Table
from escalation.profile import Duration, minutes


class ApiToken(Table):
    """``[api.tokens.NAME]``: a reader. ``units`` (units or enterprises) narrow down what it sees to their own and what
    lies below them; none: everything. ``allow`` lists the networks it may come from; none: any."""

    token: Annotated[SecretStr, Field(min_length=32)]
    units: tuple[str, ...] = ()
    allow: tuple[IPvAnyNetwork, ...] = ()


class Api(Table):
    """``[api]``: reading incidents. ``rate`` is requests a second of each token, ``burst`` how many at once."""

    rate: Annotated[int, Field(ge=1, le=1000)] = 5
    burst: Annotated[int, Field(ge=1, le=10_000)] = 20
    tokens: dict[Id, ApiToken] = Field(default_factory=dict)


class Metrics(Table):
    """``[metrics]``: the networks that may read ``/metrics``; none: nobody."""

    allow: tuple[IPvAnyNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Log(Table):
    """``[log]``: ``plain`` is a line for people, ``json`` an object a line. ``trail`` writes a line for each row of the
    journal, with the incident's code and the notice's id."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["plain", "json"] = "plain"
    trail: bool = False


class SelfTest(Table):
    """``[self_test]``: a test message every day ``at`` a local time (none: off), through every channel that people
    read: to each group where ``groups``, to the maintainers by their other channels where ``maintainers``, and to
    ``posts`` (``UNIT/ROLE``). What has not arrived ``within`` a time is told to the maintainers."""

    at: time | None = None
    within: Duration = "10m"
    groups: bool = True
    maintainers: bool = True
    posts: tuple[str, ...] = ()

    @property
    def within_ms(self) -> int:
        return minutes(self.within) * 60_000
