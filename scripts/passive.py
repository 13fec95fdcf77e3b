#!/usr/bin/env python3
"""passive.py FROM TO: makes a passive data segment of the root certificates (src/host/fetch/roots.rs).

The host copies active segments into the memory of every instance; a passive one is copied by `memory.init`, when it is
needed. No compiler makes one for a module without threads, so the one `memory.copy` from the address MARK, of as many
bytes as the root certificates have, becomes `memory.init` of their segment: the same operands, the same length.
"""

import sys

MARK = 0x7EAD7007
START = b"root certificates"
CODE, DATA, DATA_COUNT = 10, 11, 12


def unsigned(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def signed(number):
    out = bytearray()
    while not -0x40 <= number < 0x40:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number & 0x7F])


def read_unsigned(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def read_signed(data, at):
    start = at
    number, at = read_unsigned(data, at)
    bits = 7 * (at - start)
    return (number - (1 << bits) if number >> (bits - 1) else number), at


def sections(module):
    at = 8
    while at < len(module):
        size, start = read_unsigned(module, at + 1)
        yield module[at], module[start : start + size]
        at = start + size


def active(offset, content):
    return b"\x00\x41" + signed(offset) + b"\x0b" + unsigned(len(content)) + content


def split(data, length):
    """The segments, with the root certificates as a passive one, and the number of that."""
    count, at = read_unsigned(data, 0)
    start = START + (length - len(START) - 4).to_bytes(4, "big")
    segments, passive = [], None
    for _ in range(count):
        if data[at : at + 2] != b"\x00\x41":
            raise SystemExit("passive.py: a data segment that is not active at a constant")
        offset, at = read_signed(data, at + 2)
        size, at = read_unsigned(data, at + 1)
        content = data[at : at + size]
        at += size
        begin = content.find(start)
        if begin < 0:
            segments.append(active(offset, content))
            continue
        end = begin + length
        if passive is not None or len(content) < end:
            raise SystemExit("passive.py: more than one text of root certificates, or a part of one")
        segments.append(active(offset, content[:begin]))
        passive = len(segments)
        segments.append(b"\x01" + unsigned(length) + content[begin:end])
        segments.append(active(offset + end, content[end:]))
    if passive is None:
        raise SystemExit("passive.py: no root certificates")
    return segments, passive


def main():
    module = open(sys.argv[1], "rb").read()
    code = next(content for number, content in sections(module) if number == CODE)
    mark = b"\x41" + signed(MARK)
    if code.count(mark) != 1:
        raise SystemExit(f"passive.py: {code.count(mark)} copies of the root certificates")
    at = code.index(mark) + len(mark)
    if code[at] != 0x41:
        raise SystemExit("passive.py: the copy has no constant length")
    length, copy = read_signed(code, at + 1)
    if code[copy : copy + 4] != b"\xfc\x0a\x00\x00":
        raise SystemExit("passive.py: no memory.copy behind the operands")

    data = next(content for number, content in sections(module) if number == DATA)
    segments, passive = split(data, length)
    zero = b"\x41" + b"\x80" * (len(mark) - 2) + b"\x00"
    init = b"\xfc\x08" + unsigned(passive) + b"\x00"
    if len(init) != 4:
        raise SystemExit("passive.py: too many segments")
    before = code.index(mark)
    code = code[:before] + zero + code[before + len(mark) : copy] + init + code[copy + 4 :]

    out = bytearray(module[:8])
    for number, section in sections(module):
        if number == CODE:
            section = code
        elif number == DATA:
            section = unsigned(len(segments)) + b"".join(segments)
        elif number == DATA_COUNT:
            section = unsigned(len(segments))
        out += bytes([number]) + unsigned(len(section)) + section
    open(sys.argv[2], "wb").write(out)


main()
