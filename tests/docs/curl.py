"""curl for machines without it: as much of it as the documents use."""

from __future__ import annotations

import argparse
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-X", dest="method")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="data")
parser.add_argument("-o", dest="output")
parser.add_argument("-w", dest="write_out", default="")
parser.add_argument("-i", dest="include", action="store_true")
parser.add_argument("-s", dest="silent", action="store_true")


def main() -> None:
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    headers = dict(header.split(": ", 1) for header in asked.headers)
    if asked.data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    connection.request(
        asked.method or ("GET" if asked.data is None else "POST"),
        f"{url.path}?{url.query}" if url.query else url.path,
        None if asked.data is None else asked.data.encode(),
        headers,
    )
    response = connection.getresponse()
    head = f"HTTP/1.1 {response.status} {response.reason}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in response.getheaders()) + "\r\n"
    body = head.encode() * asked.include + response.read()
    connection.close()
    if asked.output:
        with open(asked.output, "wb") as file:
            file.write(body)
    else:
        sys.stdout.buffer.write(body)
    status = str(response.status)
    sys.stdout.write(asked.write_out.replace("%{http_code}", status).replace("\\n", "\n"))


main()
