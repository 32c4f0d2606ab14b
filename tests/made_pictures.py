"""Image files of hard kinds, made for the tests of all that reads images."""

import io
import struct
import zlib

from PIL import Image


def encoded(image, kind="PNG", **options):
    """Return an image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def huge_png(width, height):
    """Return a PNG that says it is so large, without the pixels."""
    content = bytearray(encoded(Image.new("L", (1, 1))))
    header = b"IHDR" + struct.pack(">II", width, height) + bytes([8, 0, 0, 0, 0])
    content[12:33] = header + zlib.crc32(header).to_bytes(4, "big")
    return bytes(content)


def endless_jpeg(side, scans):
    """Return a progressive JPEG that goes so often through all of its pixels, in few bytes."""
    content = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    table = content.rindex(b"\xff\xc4", 0, last)
    return content[:-2] + content[table:-2] * scans + b"\xff\xd9"


# What Pillow would hand to Ghostscript, under whatever name.
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 60\n{} loop\n"
