"""XLSX out: one sheet, written row by row into a zip archive in constant memory."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from inventory_levels.files.cells import escaped
from inventory_levels.files.columns import Column
from inventory_levels.files.refusals import BadFile

# What a sheet holds besides its header, and what a zip archive without extensions does.
MAX_ROWS = 1_048_575
MAX_BYTES = 2**31 - 2**20
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Texts in which XML, an escape or the ends need care; most do not.
_NOT_PLAIN = re.compile(r"[&<>\r\n\t]|_x|^['=+@\s-]|\s$|^null$")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# The styles of cells: as they come, a header in bold, and text that stays text when it is edited.
_PLAIN, _BOLD, _TEXT = 0, 1, 2
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2">'
    '<font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>",
}


def write(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    header: Sequence[str],
    chunks: Iterable[Iterable[Sequence[Any]]],
) -> None:
    """Write a workbook whose one sheet has this name. Raises BadFile where it gets too large."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part, xml in _PARTS.items():
            archive.writestr(part, _HEAD + xml)
        archive.writestr(
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(name)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            _write_sheet(sheet.write, columns, header, chunks)


def _write_sheet(
    write: Callable[[bytes], Any],
    columns: Sequence[Column],
    header: Sequence[str],
    chunks: Iterable[Iterable[Sequence[Any]]],
) -> None:
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{max(12, len(title) + 2)}" customWidth="1" '
        f'style="{_PLAIN if column.is_number else _TEXT}"/>'
        for n, (column, title) in enumerate(zip(columns, header, strict=True), start=1)
    )
    places = [_letters(n) for n in range(len(columns))]
    titles = "".join(
        f'<c r="{place}1" s="{_BOLD}" t="inlineStr"><is><t>{escape(title)}</t></is></c>'
        for place, title in zip(places, header, strict=True)
    )
    head = (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f'</sheetView></sheetViews><cols>{widths}</cols><sheetData><row r="1">{titles}</row>'
    )
    write(head.encode())
    cells = [
        (place, _number if column.is_number else _text)
        for place, column in zip(places, columns, strict=True)
    ]
    number, left = 1, MAX_BYTES
    for chunk in chunks:
        rows = []
        for row in chunk:
            number += 1
            inner = [
                cell(place, number, value)
                for (place, cell), value in zip(cells, row, strict=True)
                if value is not None
            ]
            rows.append(f'<row r="{number}">{"".join(inner)}</row>')
        xml = "".join(rows).encode()
        left -= len(xml)
        if number > MAX_ROWS + 1 or left < 0:
            raise too_large()
        write(xml)
    write(b"</sheetData></worksheet>")


def too_large() -> BadFile:
    return BadFile(
        f"This is more than a workbook holds ({MAX_ROWS} rows, 2 GiB): export CSV instead."
    )


def _number(place: str, row: int, value: Decimal | int) -> str:
    return f'<c r="{place}{row}"><v>{value:f}</v></c>'


def _text(place: str, row: int, value: str) -> str:
    kept = ""
    if _NOT_PLAIN.search(value):
        value = value.replace("\r\n", "\n").replace("\r", "\n")
        value = escape(_ESCAPE.sub("_x005F_", escaped(value)))
        kept = ' xml:space="preserve"'
    return f'<c r="{place}{row}" s="{_TEXT}" t="inlineStr"><is><t{kept}>{value}</t></is></c>'


def _letters(place: int) -> str:
    first, second = divmod(place, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)
