"""What the directory knows of an event's enterprise and point."""

from __future__ import annotations

import msgspec

from escalation.directory import Directory
from escalation.event import Event, EventType, Flag
from escalation.vocabulary import Kind

_WHOLE = {
    EventType.DATA_OFFLINE: "data",
    EventType.DATA_RESTORED: "data",
    EventType.VIDEO_OFFLINE: "video",
    EventType.VIDEO_RESTORED: "video",
}


def flagged(event: Event, directory: Directory) -> Event:
    """The event, with a flag where the directory does not know its enterprise or its point.

    An enterprise that came by its name alone gets its code where exactly one enterprise has this name. Points need not
    be registered: a point is unknown only at an enterprise that has registered some. What names no enterprise at all is
    what people report themselves: nothing is missing there that anybody could register.
    """
    enterprise = directory.enterprises.get(event.enterprise)
    if enterprise is None and event.enterprise == event.enterprise_name:
        named = [each for each in directory.enterprises.values() if each.name == event.enterprise_name]
        if len(named) == 1:
            enterprise = named[0]
            event = msgspec.structs.replace(event, enterprise=enterprise.uscc)
    if enterprise is None and not event.enterprise:
        return event
    if enterprise is None:
        return _with(event, Flag.UNKNOWN_ENTERPRISE)
    if event.type.kind is Kind.WARNING or event.point == _WHOLE.get(event.type) or not enterprise.points:
        return event
    if directory.point(event.enterprise, event.point) is None:
        return _with(event, Flag.UNKNOWN_POINT)
    return event


def _with(event: Event, flag: Flag) -> Event:
    return event if flag in event.flags else msgspec.structs.replace(event, flags=(*event.flags, flag))
