"""Mappings as administrators write them, and vendors' messages for them."""

from __future__ import annotations

import tomllib
from typing import Any

from bot.gate import vendor_mapping
from bot.intake.body import parse
from bot.intake.items import read_items
from bot.intake.reading import Item, ReadingRules
from bot.settings.mapping import MappingTable
from escalation.vocabulary import Level, Severity
from tests.intake.samples import NOW, USCC, encoded

GATEWAY = f"""
items = "items"
id = ["$.batchNo", "devId", "alarmTime"]
time = {{ path = "alarmTime", format = "%Y-%m-%d %H:%M:%S" }}
cleared_time = {{ path = "recoverTime", format = "epoch_ms" }}
enterprise = {{ path = "entCode", codes = {{ "10023" = "{USCC}" }} }}
enterprise_name = "entName"
mode = {{ path = "drill", codes = {{ "0" = "actual", "1" = "exercise" }}, default = "0" }}
point = "devId"
point_name = "dev.name"
severity = {{ path = "alarmLevel", codes = {{ "1" = "high_high", "2" = "high" }} }}
value = "val"
limit = "limits[0].max"
reasons = "remark"
[type]
path = ["alarmType", "alarmState"]
[type.codes]
"offline/1" = "data.offline"
"offline/0" = "data.restored"
"*/0" = "alarm.cleared"
"*/1" = "alarm.raised"
"""
ALERTS = """
items = "alerts"
id = ["fingerprint", "startsAt"]
type = { path = "status", codes = { firing = "alarm.raised", resolved = "alarm.cleared" } }
time = "startsAt"
cleared_time = "endsAt"
enterprise = "labels.enterprise"
point = "labels.point"
severity = { path = "labels.severity", codes = { critical = "high_high" } }
"""


def rules(text: str = GATEWAY) -> ReadingRules:
    table = MappingTable.model_validate(tomllib.loads(text))
    return ReadingRules(
        mapping=vendor_mapping(table, "Asia/Shanghai"), assume_level=Level.RED, assume_severity=Severity.HIGH_HIGH
    )


def gateway_item(**changes: Any) -> dict[str, Any]:
    """One item of the flat gateway; ``...`` removes a field."""
    item = {
        "devId": "GAS-001",
        "alarmType": "gas",
        "alarmState": 1,
        "alarmLevel": 1,
        "alarmTime": "2026-11-21 03:12:40",
        "entCode": 10023,
        "val": "86.4",
        "dev": {"name": "1号高炉煤气"},
        "limits": [{"max": 80}],
    }
    return {name: value for name, value in {**item, **changes}.items() if value is not ...}


def mapped(document: Any, given: ReadingRules | None = None) -> list[Item]:
    """The items of a document by a mapping."""
    body = document if isinstance(document, bytes) else encoded(document)
    return read_items(parse(body, 100), "gateway", given or rules(), NOW)
