"""Inputs that are nearly right: a good file with some of it changed, drawn from a seed."""

import io
import json
import random
import struct
import zipfile

ODD_BYTES = (0, 1, 0x7F, 0x80, 0xFF)
ODD_NUMBERS = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
ODD_VALUES = (
    *(None, True, 0, -1, 10**7, 10**30, 1e308, -0.5, float("nan"), float("inf")),
    *("", "x" * 5000, "\x1b[31m", "=1+1", "../../x", [], [[]], [0] * 9, {}, {"a": 1}),
)


def mutate(content, rng):
    """Return the content with one to a few changes."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_CHANGES)(out, rng)
    return bytes(out)


def _flip(out, rng):
    if out:
        out[_place(out, rng)] ^= 1 << rng.randrange(8)


def _overwrite(out, rng):
    if out:
        out[_place(out, rng)] = rng.choice(ODD_BYTES)


def _number(out, rng):
    order, width = rng.choice("<>"), rng.choice("HI")
    size = struct.calcsize(width)
    if len(out) >= size:
        at = min(_place(out, rng), len(out) - size)
        value = rng.choice(ODD_NUMBERS) % 2 ** (8 * size)
        out[at : at + size] = struct.pack(order + width, value)


def _cut(out, rng):
    del out[_place(out, rng) if out else 0 :]


def _remove(out, rng):
    at = _place(out, rng) if out else 0
    del out[at : at + rng.choice((1, 4, 64, 512))]


def _repeat(out, rng):
    at = _place(out, rng) if out else 0
    part = out[at : at + rng.choice((1, 4, 64, 512))]
    out[at:at] = part * rng.choice((1, 2, 20))


def _insert(out, rng):
    at = _place(out, rng) if out else 0
    out[at:at] = rng.randbytes(rng.choice((1, 4, 64)))


def _zero(out, rng):
    at = _place(out, rng) if out else 0
    end = min(len(out), at + rng.choice((4, 64, 512)))
    out[at:end] = bytes(end - at)


_CHANGES = (_flip, _flip, _overwrite, _number, _number, _cut, _remove, _repeat, _insert, _zero)


def _place(out, rng):
    """Return where to change: headers, at either end, more often than what lies between."""
    if rng.random() < 0.5:
        return rng.randrange(len(out))
    near = min(len(out), 600)
    at = rng.randrange(near)
    return at if rng.random() < 0.5 else len(out) - 1 - at


def mutate_facts(facts, rng):
    """Return a JSON text in which a value, wherever it stands, is another one or gone."""
    facts = json.loads(json.dumps(facts))
    places = list(_places(facts))
    for _ in range(rng.choice((1, 1, 2))):
        room, key = rng.choice(places)
        if isinstance(room, dict) and rng.random() < 0.2:
            room.pop(key, None)
        elif isinstance(room, dict) or key < len(room):
            room[key] = rng.choice(ODD_VALUES)
    return json.dumps(facts).encode()


def _places(value):
    """Yield where a value stands; of a list the first three, which the rest are like."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, one in items:
        yield value, key
        if isinstance(one, dict | list):
            yield from _places(one)


def members_of(content):
    """Return the members of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(members, compression=zipfile.ZIP_STORED):
    """Return a zip of members, its checksums right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def mutate_inside(content, rng):
    """Return a zip of which a member was changed before it was packed, so that its CRC is right."""
    members = members_of(content)
    name = rng.choice(list(members))
    members[name] = mutate(members[name], rng)
    if rng.random() < 0.1:
        members[name + "x"] = members.pop(name)
    return zip_of(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def random_of(reader, number):
    """Return the generator of a reader's input of this number, so that it can be made again."""
    return random.Random(f"{reader} {number}")  # noqa: S311 - nothing secret
