# SPDX-License-Identifier: EUPL-1.2
"""Writes the files of the bed "null": objects, and the listings as Azure would page them.

usage: null-data.py FOLDER NAME:OBJECTS:BYTES...     a set that is there already is left alone
"""
import base64
import hashlib
import os
import sys

PAGE = 5000
STAMP = 1793491200  # 1 November 2026: nginx makes its ETag from this and the size
DATE = "Sun, 01 Nov 2026 00:00:00 GMT"


def write_object(path, size, number):
    """Random bytes, the last eight of them the number; returns the MD5."""
    md5 = hashlib.md5()
    with open(path, "wb") as out:
        left = size
        while left:
            piece = os.urandom(min(left, 1 << 20))
            left -= len(piece)
            if not left:
                piece = piece[:-8] + number.to_bytes(8, "big")
            md5.update(piece)
            out.write(piece)
    os.utime(path, (STAMP, STAMP))
    return base64.b64encode(md5.digest()).decode()


def blob(name, size, md5):
    return (
        "<Blob><Name>%s</Name><Properties><Creation-Time>%s</Creation-Time><Last-Modified>%s</Last-Modified>"
        "<Etag>&quot;%x-%x&quot;</Etag><Content-Length>%d</Content-Length>"
        "<Content-Type>application/octet-stream</Content-Type><Content-MD5>%s</Content-MD5>"
        "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus>"
        "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties></Blob>"
        % (name, DATE, DATE, STAMP, size, size, md5))


def write_set(top, name, count, size):
    folder = os.path.join(top, "null", name)
    done = os.path.join(top, name + ".done")
    if os.path.exists(done):
        return
    os.makedirs(folder, exist_ok=True)
    os.makedirs(os.path.join(top, "list"), exist_ok=True)
    blobs = []
    for number in range(count):
        key = "o%08d" % number
        blobs.append(blob(key, size, write_object(os.path.join(folder, key), size, number)))
    for first in range(0, max(count, 1), PAGE):
        marker = "p%d" % first if first else ""
        after = "p%d" % (first + PAGE) if first + PAGE < count else ""
        with open(os.path.join(top, "list", "%s.%s.xml" % (name, marker)), "w", encoding="utf-8") as out:
            out.write('<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="%s">'
                      "<MaxResults>%d</MaxResults><Blobs>%s</Blobs><NextMarker>%s</NextMarker>"
                      "</EnumerationResults>" % (name, PAGE, "".join(blobs[first:first + PAGE]), after))
    with open(done, "w", encoding="utf-8"):
        pass


def write_containers(top, names):
    entry = ("<Container><Name>%s</Name><Properties><Last-Modified>" + DATE +
             "</Last-Modified><Etag>&quot;0&quot;</Etag></Properties></Container>")
    with open(os.path.join(top, "list", "..xml"), "w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Containers>%s</Containers>'
                  "<NextMarker/></EnumerationResults>" % "".join(entry % name for name in names))


def main():
    top = sys.argv[1]
    sets = [text.split(":") for text in sys.argv[2:]]
    for name, count, size in sets:
        write_set(top, name, int(count), int(size))
    write_containers(top, [name for name, _, _ in sets])


main()
