"""curl for machines without it: as much of it as the documents use."""

from __future__ import annotations

import argparse
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-X", dest="method")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="data")
parser.add_argument("--data-binary", dest="file")
parser.add_argument("-F", dest="part")
parser.add_argument("-o", dest="output")
parser.add_argument("-w", dest="write_out", default="")
parser.add_argument("-i", dest="include", action="store_true")
parser.add_argument("-s", dest="silent", action="store_true")


def main() -> None:
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    headers = dict(header.split(": ", 1) for header in asked.headers)
    body = None if asked.data is None else asked.data.encode()
    if asked.file is not None:
        body = Path(asked.file.removeprefix("@")).read_bytes()
    if asked.part is not None:
        name, _, file = asked.part.partition("=@")
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file}"'
        body = b"--x\r\n%s\r\n\r\n%s\r\n--x--\r\n" % (head.encode(), Path(file).read_bytes())
        headers["Content-Type"] = "multipart/form-data; boundary=x"
    if body is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    connection.request(
        asked.method or ("GET" if body is None else "POST"),
        f"{url.path}?{url.query}" if url.query else url.path,
        body,
        headers,
    )
    response = connection.getresponse()
    head = f"HTTP/1.1 {response.status} {response.reason}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in response.getheaders()) + "\r\n"
    answer = head.encode() * asked.include + response.read()
    connection.close()
    if asked.output:
        with open(asked.output, "wb") as file:
            file.write(answer)
    else:
        sys.stdout.buffer.write(answer)
    status = str(response.status)
    sys.stdout.write(asked.write_out.replace("%{http_code}", status).replace("\\n", "\n"))


main()
