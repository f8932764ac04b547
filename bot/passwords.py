"""Password hashes: argon2id as RFC 9106 has it. What one must look like, how one is made, how one is verified."""

from __future__ import annotations

from enum import StrEnum

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

MEMORY_KIB = 65_536
TIME = 3
LANES = 4
LEAST_MEMORY_KIB = 19_456
LEAST_WORK_KIB = 19_456 * 2
"""OWASP's least: 19 MiB in two passes, or 46 MiB in one; memory times passes is what a guesser pays."""
MOST_MEMORY_KIB = 1_048_576
MOST_TIME = 32
LEAST_LENGTH = 10
MOST_LENGTH = 200


class Strength(StrEnum):
    """What a password hash in the configuration is worth."""

    GOOD = "good"
    WEAK = "weak"
    COSTLY = "costly"
    NO_HASH = "no_hash"


def strength(text: str) -> Strength:
    """Judge a hash by its text alone; ``no_hash`` is anything that is no argon2id hash, a plain password above all."""
    if not text.startswith("$argon2id$"):
        return Strength.NO_HASH
    try:
        found = extract_parameters(text)
    except (InvalidHashError, ValueError):
        return Strength.NO_HASH
    if found.type is not Type.ID or found.time_cost < 1 or found.hash_len < 8:
        return Strength.NO_HASH
    if found.memory_cost > MOST_MEMORY_KIB or found.time_cost > MOST_TIME or found.parallelism > 64:
        return Strength.COSTLY
    weak = (
        found.memory_cost < LEAST_MEMORY_KIB
        or found.memory_cost * found.time_cost < LEAST_WORK_KIB
        or found.salt_len < 16
        or found.hash_len < 32
        or found.version < 19
    )
    return Strength.WEAK if weak else Strength.GOOD


def hashed(password: str, *, memory_kib: int = MEMORY_KIB, time: int = TIME, lanes: int = LANES) -> str:
    """A fresh hash of the password, with a salt of its own."""
    return PasswordHasher(time_cost=time, memory_cost=memory_kib, parallelism=lanes).hash(password)


def matches(text: str, password: str) -> bool:
    """Whether the hash is this password's. Takes as long as the hash was made to; not for the event loop."""
    try:
        return PasswordHasher().verify(text, password)
    except (VerificationError, InvalidHashError):
        return False
