"""The parts of an XLSX file, read piece by piece; whatever is hostile or broken is refused.

An XLSX file is a zip archive of XML documents. The libraries that read them either hold a
whole sheet in memory or lose texts such as ``_x0041_``, and all take an error for a blank.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from xml.parsers import expat

from inventory_levels.files.refusals import BadFile

CHUNK = 64 * 1024
# Sheets pack to a tenth, the most repetitive ones to a fiftieth; a zip bomb to a thousandth.
MAX_RATIO = 100
_SMALL = 1024 * 1024
_ENTRY, MAX_ENTRIES = b"PK\x01\x02", 10_000
_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"


@contextmanager
def broken_is_bad() -> Iterator[None]:
    """Whatever reading a damaged workbook raises is a BadFile."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        EOFError,
        LookupError,  # a part or a shared text that is not there, an unknown encoding
        ValueError,
        RuntimeError,  # encrypted, or packed in a way of its own
    ) as error:
        raise BadFile("The file is damaged, or is not an Excel workbook (.xlsx).") from error


class Package:
    """An open workbook's parts by name."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        if file.read(4) == _OLD_OR_LOCKED:
            raise BadFile(
                "The workbook has a password, or is of the old kind (.xls): save it as .xlsx."
            )
        self._check_entries(file)
        with broken_is_bad():
            self._archive = zipfile.ZipFile(file)

    def _check_entries(self, file: BinaryIO) -> None:
        """Python would list millions of empty entries in memory before it reads the first."""
        file.seek(0)
        entries = 0
        while piece := file.read(_SMALL):
            entries += piece.count(_ENTRY)
        if entries > MAX_ENTRIES:
            raise BadFile("The file is not an Excel workbook: it holds too many parts.")

    def __contains__(self, part: str) -> bool:
        return part in self._archive.namelist()

    def parse(self, part: str, handler: Any) -> Iterator[None]:
        """Tell the handler (``start``, ``end``, ``text``) of a part's elements by local name.

        Stops after each piece, so that the caller can take what the handler has found.
        """
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        local, start, end = _LocalNames(), handler.start, handler.end
        parser.StartElementHandler = lambda name, attributes: start(local[name], attributes)
        parser.EndElementHandler = lambda name: end(local[name])
        parser.CharacterDataHandler = handler.text
        for piece in self._pieces(part):
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
        yield

    def _pieces(self, part: str) -> Iterator[bytes]:
        info = self._archive.getinfo(part)
        left = MAX_RATIO * info.compress_size + _SMALL
        with self._archive.open(info) as stream:
            while piece := stream.read(CHUNK):
                left -= len(piece)
                if left < 0:
                    raise BadFile(f"The workbook unpacks to more than {MAX_RATIO} times its size.")
                yield piece

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: kind and name, by the reference's id."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        class Relationships(Handler):
            def start(self, name: str, attributes: dict[str, str]) -> None:
                if name == "Relationship" and attributes.get("TargetMode") != "External":
                    target = posixpath.join("/", folder, attributes["Target"])
                    kind = attributes["Type"].rpartition("/")[2]
                    found[attributes["Id"]] = (kind, posixpath.normpath(target).lstrip("/"))

        for _ in self.parse(posixpath.join(folder, "_rels", f"{name}.rels"), Relationships()):
            pass
        return found


class _LocalNames(dict[str, str]):
    """Names without their namespace, of which there are two."""

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, name.rpartition(" ")[2])


class Handler:
    """Hears of a part's elements, and cares about none."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


def _refuse_doctype(*args: Any) -> None:
    raise BadFile("The workbook declares XML entities, which no spreadsheet program does.")
