"""Every key name in the store, and the arithmetic that places things: partitions, mailbox shards, codes.

Partition ``p`` of an incident is CRC-16/XMODEM (the cluster's own hash) of its enterprise, or of ``source:<name>``,
modulo N. N and the number of shards are fixed when the store is made (:mod:`escalation.ledger.meta`). The braces are
the cluster's hash tag: everything of one partition, and everything of one mailbox shard, is in one slot.

======================================  ======  ==================================================================
key                                     type    content
======================================  ======  ==================================================================
``fh:meta``                             hash    store, partitions, shards, created
``fh:alive``                            string  when any hub last said that it works (ms)
``fh:leader``                           hash    owner, until: the hub that runs the calendar's jobs
``fh:leader:<duty>``                    hash    the same for one other duty: the hub that reads a mailbox
``fh:marks``                            hash    channel → how far its mailbox was read, and since when it cannot be
``fh:rests``                            hash    channel → until when its vendor said that all of it rests, in ms
``fh:health``                           hash    channel that fails, or failed of late → since when, and what was told
``fh:heard``                            hash    source → when any hub last took anything of it (ms)
``fh:good``                             hash    channel → when its vendor last took a message (ms)
``fh:breakers``                         hash    mailbox that is refused again and again → how often, rests until when
``fh:trials``                           hash    a test message's id → the test; with US and more: what came of it
``fh:outages``                          list    ``<from ms> <to ms>``: spans in which no hub worked
``fh:sessions``                         hash    SHA-256 of a session's id → the session of a local account
``fh:logins``                           hash    account, address or both → failed log-ins, last one, wait until (ms)
``fh:sent:<channel>`` US ``<id>``       string  vendor's id of a send → its (incident, notice) pairs; for a week
``fh:early:<channel>`` US ``<id>``      string  a report that came before its send was recorded; for ten minutes
``fh:wire:<channel>``                   list    letters for whoever holds its line; with US and more: one, its answer
``fh:asks:<channel>``                   zset    a send to ask its vendor about (:mod:`escalation.ledger.asks`), by when
``fh:{copies}:hubs``                    hash    hub → when it last looked for files of others (ms)
``fh:{copies}:offered``                 hash    path → a file on its way to all hubs (:mod:`escalation.ledger.copies`)
``fh:{copies}:had:<path>``              set     hub that has it
``fh:{copies}:bytes:<path>``            string  its bytes, piece by piece
``fh:{p7}:codes``                       hash    letter → the counter k of the last code taken
``fh:{p7}:incidents``                   hash    code → the incident's state
``fh:{p7}:versions``                    hash    code → the state's version; while open, since when and its level
``fh:{p7}:correlations``                hash    correlation → code, or ``~<ms>``: a clear that came before its raise
``fh:{p7}:open``                        zset    code of an open incident, by the time it opened
``fh:{p7}:opened``                      zset    every code there ever was, by the time it first opened
``fh:{p7}:levels``                      zset    code of an open incident, by its level (:mod:`escalation.ledger.levels`)
``fh:{p7}:seen``                        hash    input id → body hash, newline, recorded result
``fh:{p7}:seen_log``                    list    ``<ms>`` US input id, oldest first: what may be forgotten
``fh:{p7}:due``                         zset    code, by the time something is owed or a claim ends
``fh:{p7}:outbox``                      zset    line, by the time it may be taken or a claim ends
``fh:{p7}:outbox_order``                zset    member of a line, all with score 0, so in the order of their names
``fh:{p7}:outbox_rows``                 hash    member → outbox row
``fh:{p7}:inbox``                       zset    line (a sender), as in the outbox
``fh:{p7}:inbox_order``                 zset    member, as in the outbox
``fh:{p7}:inbox_rows``                  hash    member → reply row
``fh:{p7}:inbox_seen``                  zset    id of a reply, by the time it came
``fh:{p7}:journal``                     stream  rows ``0-1``, ``0-2`` … without a gap, field ``r``
``fh:{p7}:sealed``                      hash    the chain's head: number, hash, at; filed: the last row in files only
``fh:{p7}:hashes``                      hash    row number → the chain's hash after it, for rows still in the stream
``fh:{p7}:filers``                      hash    hub → ``<last row in its files> <ms when it said so>``
``fh:{p7}:quarantine``                  hash    id → a row that was told but not understood
``fh:{p7}:dead``                        hash    notice id → dead letter
``fh:{p7}:evidence``                    hash    picture's id, alone or with US and a name → what is known of it
``fh:{m3}:ready``                       zset    mailbox with anything in it, by the time to look again
``fh:{m3}:known``                       zset    ``<partition>`` US outbox member, by the time it was put here
``fh:{m3}:ages``                        zset    mailbox, RS, member: by when it was due, critical less 2^42
``fh:{m3}:box:<mailbox>:rows``          hash    member → outbox row
``fh:{m3}:box:<mailbox>:line``          zset    every member, all with score 0: order within an incident
``fh:{m3}:box:<mailbox>:waiting``       zset    first member of each line, critical before normal, then by creation
``fh:{m3}:box:<mailbox>:later``         zset    member that waits, by the time it may go again
``fh:{m3}:box:<mailbox>:flying``        zset    claimed member, by the end of its claim
``fh:{m3}:box:<mailbox>:facts``         hash    counters, hold, frozen digests, tries
``fh:{m3}:box:<mailbox>:window``        zset    token taken from the vendor's windows, by the time it was taken
``fh:{m3}:box:<mailbox>:told``          zset    code told to this mailbox, by the time of the put
======================================  ======  ==================================================================

A *line* is what must keep its order and be in one hand at a time: the incident of an outbox row (or the row itself
where it has none), the sender of a reply. A *mailbox* is written ``<channel>`` US ``<address>``; US is
the character 0x1F.
"""

from __future__ import annotations

import binascii
import itertools
import re
import secrets
import unicodedata
from functools import cache
from typing import NamedTuple

US = "\x1f"
META = b"fh:meta"
ALIVE = b"fh:alive"
OUTAGES = b"fh:outages"
LEADER = b"fh:leader"
MARKS = b"fh:marks"
RESTS = b"fh:rests"
SESSIONS = b"fh:sessions"
LOGINS = b"fh:logins"
HEALTH = b"fh:health"
HEARD = b"fh:heard"
GOOD = b"fh:good"
BREAKERS = b"fh:breakers"
TRIALS = b"fh:trials"
COPIES = b"fh:{copies}:hubs"
_claims = itertools.count(secrets.randbelow(2047))
_CODE = re.compile(r"([AW])0*([0-9]{1,15})")


class PartitionKeys(NamedTuple):
    """The key names of one partition."""

    codes: bytes
    incidents: bytes
    versions: bytes
    correlations: bytes
    open: bytes
    opened: bytes
    levels: bytes
    seen: bytes
    seen_log: bytes
    due: bytes
    outbox: bytes
    outbox_order: bytes
    outbox_rows: bytes
    inbox: bytes
    inbox_order: bytes
    inbox_rows: bytes
    inbox_seen: bytes
    journal: bytes
    sealed: bytes
    hashes: bytes
    filers: bytes
    quarantine: bytes
    dead: bytes
    evidence: bytes


class MailboxKeys(NamedTuple):
    """The key names a mailbox's script needs, in the script's order: three of its shard, then its own."""

    ready: bytes
    known: bytes
    ages: bytes
    rows: bytes
    line: bytes
    waiting: bytes
    later: bytes
    flying: bytes
    facts: bytes
    window: bytes
    told: bytes


class CopyKeys(NamedTuple):
    """The key names of one file on its way to all hubs; ``offered`` lists all of them."""

    offered: bytes
    had: bytes
    bytes: bytes


class Mailbox(NamedTuple):
    """Notices waiting for one address on one channel; the address is '' where the channel is the address."""

    channel: str
    address: str

    @property
    def name(self) -> str:
        return f"{self.channel}{US}{self.address}"

    @classmethod
    def read(cls, name: str) -> Mailbox:
        """The mailbox of a stored name."""
        channel, _, address = name.partition(US)
        return cls(channel, address)


def leader_key(duty: str) -> bytes:
    """The lease of a duty that one hub has at a time; '' for the calendar's jobs."""
    return LEADER + f":{duty}".encode() if duty else LEADER


def crc16(text: str) -> int:
    """CRC-16/XMODEM of the text's UTF-8, the cluster's own hash."""
    return binascii.crc_hqx(text.encode(), 0)


def partition_of(key: str, partitions: int) -> int:
    """The partition of an enterprise, of ``source:<name>`` (:attr:`Event.partition_key`), or of a reply's sender."""
    return crc16(key) % partitions


@cache
def partition_keys(partition: int) -> PartitionKeys:
    """The key names of one partition."""
    return PartitionKeys(*(f"fh:{{p{partition}}}:{name}".encode() for name in PartitionKeys._fields))


def shard_of(mailbox: Mailbox, shards: int) -> int:
    """The shard that holds a mailbox."""
    return crc16(mailbox.name) % shards


def ready_key(shard: int) -> bytes:
    """The key that lists a shard's mailboxes with anything in them."""
    return f"fh:{{m{shard}}}:ready".encode()


def known_key(shard: int) -> bytes:
    """The key that remembers which outbox rows were put into a shard's mailboxes."""
    return f"fh:{{m{shard}}}:known".encode()


def ages_key(shard: int) -> bytes:
    """The key that orders everything in a shard's mailboxes by the time it was due."""
    return f"fh:{{m{shard}}}:ages".encode()


def mailbox_keys(mailbox: Mailbox, shard: int) -> MailboxKeys:
    """The key names of one mailbox."""
    own = (f"fh:{{m{shard}}}:box:{mailbox.name}:{name}".encode() for name in MailboxKeys._fields[3:])
    return MailboxKeys(ready_key(shard), known_key(shard), ages_key(shard), *own)


def sent_key(channel: str, vendor_id: str) -> bytes:
    """The key that says which notices a vendor's id stands for."""
    return f"fh:sent:{channel}{US}{vendor_id}".encode()


def copy_keys(path: str) -> CopyKeys:
    """The key names of the file at a path below the data folders."""
    had, content = (f"fh:{{copies}}:{name}:{path}".encode() for name in ("had", "bytes"))
    return CopyKeys(b"fh:{copies}:offered", had, content)


def wire_key(line: str) -> bytes:
    """The key of a way to the holder of a line, or with US and more of one letter on it."""
    return f"fh:wire:{line}".encode()


def early_key(channel: str, vendor_id: str) -> bytes:
    """The key of a report whose send is not recorded yet."""
    return f"fh:early:{channel}{US}{vendor_id}".encode()


def asks_key(channel: str) -> bytes:
    """The key of the sends about which a channel's vendor is to be asked."""
    return f"fh:asks:{channel}".encode()


def write_code(letter: str, counter: int, partition: int, partitions: int) -> str:
    """The code of a partition's ``counter``-th incident of a letter (counted from 1): letter, four or more digits.

    The partition is the number modulo N, so a code alone leads to its incident and no index crosses slots.
    """
    return f"{letter}{counter * partitions + partition:04d}"


def read_code(text: str) -> str | None:
    """The code a person may have meant, in any case, full-width, with any leading zeros; None where it is none."""
    found = _CODE.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    return f"{found[1]}{int(found[2]):04d}" if found else None


def partition_of_code(code: str, partitions: int) -> int:
    """The partition of an incident's code. Raises ValueError where the text is no code."""
    known = read_code(code)
    if known is None:
        raise ValueError(f"{code!r} is no incident code: a letter A or W and four or more digits are expected")
    return int(known[1:]) % partitions


def claim_token(until: int) -> str:
    """The score of what one claim takes, which is its fencing token: the lease's end and a fraction of a millisecond.

    Times a row may wait for are whole milliseconds, so no waiting row ever looks claimed. The fraction (of 2048: what a
    double still holds until the year 2109) differs from claim to claim of a process, so that a row given back and taken
    again within one millisecond, or at a clock that stands still, has another token; two hubs start at different ones.
    """
    return repr(until + (next(_claims) % 2047 + 1) / 2048)
