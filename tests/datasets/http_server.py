#!/usr/bin/env python3
"""A web server that serves small archives well or badly, for the tests of fetching.

usage: http_server.py MODE SOURCE LOG

Serves /<volume>.zip, an archive of SOURCE/<volume>/*, on a free port of 127.0.0.1, printed as the first
line of standard output. Appends "<path> <Range header or ->" to LOG for every request. Ends when its standard
input closes. MODE is one of

  good       an archive with sub-directory, unknown files and names that point outside
  flat       the files without a sub-directory
  corrupt    one byte of the archive differs
  wrong      one file has other content
  missing    one file is not in the archive
  link       one file is a symbolic link
  truncated  the first answer stops half way; ranges work
  no-range   the same, but ranges are ignored
  416        every request with a range is answered with 416
  404        nothing is there
  html       a page of text instead of the archive
"""

import http.server
import io
import os
import pathlib
import stat
import sys
import threading
import zipfile

MODE, SOURCE, LOG = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def archive(volume):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        def put(name, data):
            z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)

        files = sorted((SOURCE / volume).iterdir())
        if MODE != "flat":
            put(f"{volume}/", b"")
            put(f"{volume}/unknown.tiff", b"not in the manifest")
            put(f"__MACOSX/{volume}/._{files[0].name}", b"resource fork")
            put("../outside.tiff", b"path traversal")
            put("-x.tiff", b"looks like an option")
            put("*.tiff", b"looks like a pattern")
        for i, path in enumerate(files):
            data = path.read_bytes()
            name = path.name if MODE == "flat" else f"{volume}/{path.name}"
            if i == 1 and MODE == "missing":
                continue
            if i == 1 and MODE == "wrong":
                data = data[:-1] + bytes([data[-1] ^ 1])
            if i == 1 and MODE == "link":
                info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                info.create_system = 3
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                z.writestr(info, str(path.resolve()))
                continue
            put(name, data)
    data = bytearray(out.getvalue())
    if MODE == "corrupt":
        data[len(data) // 2] ^= 0x55
    return bytes(data)


class Handler(http.server.BaseHTTPRequestHandler):
    answered = 0

    def do_GET(self):
        wanted = self.headers.get("Range")
        with open(LOG, "a", encoding="utf-8") as log:
            log.write(f"{self.path} {wanted or '-'}\n")
        Handler.answered += 1
        volume = self.path.strip("/").removesuffix(".zip")
        if MODE == "404" or not (SOURCE / volume).is_dir():
            return self.send_error(404)
        if MODE == "416" and wanted:
            return self.send_error(416)
        data = b"<html>sign in first</html>" if MODE == "html" else archive(volume)
        first = 0
        if wanted and MODE != "no-range":
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if first >= len(data):
                return self.send_error(416)
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if MODE in ("truncated", "no-range", "416") and Handler.answered == 1:
            self.wfile.write(data[: len(data) // 2])
        else:
            self.wfile.write(data[first:])

    def log_message(self, *_):
        pass


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=end_with_parent, daemon=True).start()
server.serve_forever()
