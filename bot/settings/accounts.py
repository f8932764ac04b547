"""Local accounts: who may open the duty page, for which unit, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.passwords import Strength, strength
from escalation.directory import Id, Table
from escalation.profile import Duration, minutes
from escalation.vocabulary import Role


class Account(Table):
    """``[accounts.NAME]``: a log-in of one ``person``, or of a ``post`` whoever stands there, at one ``unit``.

    ``unit`` (a unit's id or an enterprise's uscc) is what the account may see and act for: its own incidents, and those
    of every enterprise below it. A ``wall`` account only looks: it cannot act and sees no telephone numbers.
    """

    unit: str
    person: Id | None = None
    post: Role | None = None
    password_hash: Annotated[str, Field(max_length=500)]
    wall: bool = False

    @field_validator("password_hash")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        found = strength(value)
        if found is Strength.NO_HASH:
            raise PydanticCustomError("not_hash", "a password hash")
        if found is Strength.COSTLY:
            raise PydanticCustomError("costly_hash", "a cheaper password hash")
        return value

    @model_validator(mode="after")
    def _somebody(self) -> Account:
        if (self.person is None) == (self.post is None):
            raise PydanticCustomError("account_who", "person or post")
        return self


class DutyPage(Table):
    """``[duty_page]``: how long a log-in lasts: ``idle`` without any page open, ``lifetime`` at most; ``wall_lifetime``
    at most for an account that only looks. A flood (洪泛) begins when more than ``flood_begins`` incidents opened in
    ten minutes, and is over when fewer than ``flood_ends`` did."""

    idle: Duration = "30m"
    lifetime: Duration = "24h"
    wall_lifetime: Duration = "30d"
    flood_begins: Annotated[int, Field(ge=2, le=1000)] = 10
    flood_ends: Annotated[int, Field(ge=1, le=1000)] = 5

    @model_validator(mode="after")
    def _flood_ends_lower(self) -> DutyPage:
        if self.flood_ends > self.flood_begins:
            raise ValueError("flood_ends 不能大于 flood_begins / flood_ends must not be above flood_begins")
        return self

    def longest(self, account: Account) -> int:
        """How long a log-in of this account lasts at most, in milliseconds."""
        return minutes(self.wall_lifetime if account.wall else self.lifetime) * 60_000

    @property
    def idle_ms(self) -> int:
        return minutes(self.idle) * 60_000
