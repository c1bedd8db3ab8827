# SPDX-License-Identifier: EUPL-1.2
"""CRC-64/NVME, as Azure's x-ms-content-crc64 and structured bodies use it, and those bodies."""
import functools
import struct

POLYNOMIAL = 0x9A6C9329AC4BC9B5  # reflected


def _tables():
    first = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ POLYNOMIAL if value & 1 else value >> 1
        first.append(value)
    tables = [first]
    for _ in range(7):
        last = tables[-1]
        tables.append([(value >> 8) ^ first[value & 255] for value in last])
    return tables


T0, T1, T2, T3, T4, T5, T6, T7 = _tables()


def crc64(data, value=0):
    """The CRC of data after bytes whose CRC is value."""
    crc = value ^ 0xFFFFFFFFFFFFFFFF
    whole = len(data) // 8
    for word in struct.unpack_from("<%dQ" % whole, data):
        word ^= crc
        crc = (T7[word & 255] ^ T6[word >> 8 & 255] ^ T5[word >> 16 & 255] ^ T4[word >> 24 & 255]
               ^ T3[word >> 32 & 255] ^ T2[word >> 40 & 255] ^ T1[word >> 48 & 255]
               ^ T0[word >> 56])
    for byte in data[whole * 8:]:
        crc = (crc >> 8) ^ T0[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFFFFFFFFFF


@functools.lru_cache(maxsize=256)
def crc64_cached(data):
    return crc64(data)


def structured(data, segment_size=4 * 1024 * 1024):
    """data as a structured body, version 1, with checksums."""
    segments = [data[at:at + segment_size] for at in range(0, len(data), segment_size)] or [b""]
    parts = []
    for number, segment in enumerate(segments, 1):
        parts += [struct.pack("<HQ", number, len(segment)), segment,
                  struct.pack("<Q", crc64_cached(segment))]
    parts.append(struct.pack("<Q", crc64_cached(data)))
    length = 13 + sum(map(len, parts))
    return struct.pack("<BQHH", 1, length, 1, len(segments)) + b"".join(parts)


def unstructured(message):
    """The bytes of a structured body; ValueError when it is not one, or damaged."""
    version, length, flags, count = struct.unpack_from("<BQHH", message)
    if version != 1 or length != len(message):
        raise ValueError("not a structured body")
    at, data = 13, b""
    for number in range(1, count + 1):
        told, size = struct.unpack_from("<HQ", message, at)
        segment = message[at + 10:at + 10 + size]
        at += 10 + size
        if told != number or len(segment) != size:
            raise ValueError("a segment is cut")
        if flags & 1:
            if struct.unpack_from("<Q", message, at)[0] != crc64(segment):
                raise ValueError("a segment's checksum is wrong")
            at += 8
        data += segment
    if flags & 1 and struct.unpack_from("<Q", message, at)[0] != crc64(data):
        raise ValueError("the checksum is wrong")
    return data
