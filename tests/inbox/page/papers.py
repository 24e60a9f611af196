"""Papers that customers send, as small as they can be."""

from __future__ import annotations

import zlib


def pdf(*texts: str) -> bytes:
    """A PDF of one page for each text."""
    fonts = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(texts)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(texts)}>>".encode(),
        fonts,
    ]
    for number, text in enumerate(texts):
        drawn = zlib.compress(f"BT /F1 24 Tf 20 150 Td ({text}) Tj ET".encode())
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
        objects.append((page % (5 + 2 * number)).encode())
        objects.append(b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(drawn), drawn))
    whole = b"%PDF-1.7\n"
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj %b endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(whole))
    return whole + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (size, table, end)
