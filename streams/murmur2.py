"""Kafka's hash of a key, by which its default partitioner chooses the partition.

Source: `org.apache.kafka.common.utils.Utils.murmur2`, that is Austin Appleby's MurmurHash2 (32 bits, little endian) with Kafka's seed.
"""

from __future__ import annotations

from typing import Final

_SEED: Final = 0x9747B28C
_FACTOR: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return the unsigned 32-bit hash.

    >>> murmur2(b"foobar") - (1 << 32)  # Kafka's own tests write it as a signed number
    -790332482
    """
    length = len(key)
    hashed = _SEED ^ length
    for start in range(0, length - length % 4, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _FACTOR & _MASK
        word = (word ^ (word >> 24)) * _FACTOR & _MASK
        hashed = (hashed * _FACTOR & _MASK) ^ word
    if length % 4:
        hashed = (hashed ^ int.from_bytes(key[length - length % 4 :], "little")) * _FACTOR & _MASK
    hashed = (hashed ^ (hashed >> 13)) * _FACTOR & _MASK
    return hashed ^ (hashed >> 15)
