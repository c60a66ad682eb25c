"""POST .../import: what is read as a file at all. Encodings, CSV, XLSX, sizes, hostile ones."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.api.answers import assert_error, stored
from tests.api.files import (
    LEVELS,
    XLSX,
    assert_aborted,
    assert_bad_file,
    assert_imported,
    send,
    table,
    workbook,
)

HEADER = ["productMasterId", "locationId", "minQuantity", "comments"]
ROW = ["prod_123", "loc_123", "60", "Grüße"]
IMPORT = f"{LEVELS}/import"


def upload(api: Any, *files: SimpleUploadedFile, query: str = "", **fields: Any) -> Any:
    """A form with files in the part ``file``."""
    for file in files:
        file.seek(0)
    return Client(raise_request_exception=False).post(
        f"/api{IMPORT}{query}",
        {"file": list(files), **fields},
        headers={"Authorization": f"Bearer {api.key}"},
    )


def minimum(api: Any, level: dict[str, Any]) -> Any:
    return api.get(f"{LEVELS}/{level['id']}").json()["minQuantity"]


# --- CSV


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_utf8_with_and_without_a_mark_any_separator_and_line_ending(
    api, level, separator, encoding, ending
):
    content = table(HEADER, ROW, separator=separator).replace("\r\n", ending)
    assert_imported(send(api, content.encode(encoding)), updated=1)
    after = api.get(f"{LEVELS}/{level['id']}").json()
    assert (after["minQuantity"], after["comments"]) == (60, "Grüße")


def test_the_separator_is_that_of_the_header_and_not_of_the_cells(api, level):
    content = table(HEADER, [*ROW[:3], "a;b;c;d\te\tf\tg"], ["prod_123", "loc_456", "", "x,y,z"])
    assert_imported(send(api, content), updated=1, created=1)
    assert api.get(f"{LEVELS}/{level['id']}").json()["comments"] == "a;b;c;d\te\tf\tg"
    content = table(HEADER, [*ROW[:3], "a,b,c,d,e,f,g"], separator=";")
    assert_imported(send(api, content), updated=1)


def test_a_header_may_be_quoted_and_break_its_lines(api, level):
    content = 'productMasterId,"location\nId","minQuantity"\nprod_123,loc_123,60\n'
    assert_imported(send(api, content), updated=1)


@pytest.mark.parametrize(
    ("cell", "separator", "problem"),
    [
        ("1.234", ";", "could mean 1234"),
        ("0.125", ";", "could mean 0125"),
        ("12,5", ";", "decimal point"),
    ],
)
def test_a_number_that_could_mean_another_one_is_refused(api, level, cell, separator, problem):
    content = table(HEADER, ["prod_123", "loc_123", cell, ""], separator=separator)
    assert_aborted(send(api, content), row_2={"minQuantity": problem})
    assert minimum(api, level) == 50


@pytest.mark.parametrize(
    ("cell", "separator", "quantity"),
    [("1.25", ";", 1.25), ("1.2340", ";", 1.234), ("1.234", ",", 1.234), ("1.234", "\t", 1.234)],
)
def test_a_number_that_can_mean_only_itself_is_taken(api, level, cell, separator, quantity):
    content = table(HEADER, ["prod_123", "loc_123", cell, ""], separator=separator)
    assert_imported(send(api, content), updated=1)
    assert minimum(api, level) == quantity


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (table(HEADER, ROW).encode("latin-1"), 2),
        (table(HEADER, [*ROW[:3], "plain"], ROW).encode("cp1252"), 3),
        (table([*HEADER[:3], "Größe"], ROW).encode("latin-1"), 1),
        (table(HEADER, ROW).encode("utf-16"), 1),
        (table(HEADER, [*ROW[:3], "one\ntwo\nthree"]).encode() + b"\xed\xa0\x80", 3),
        (table(HEADER, ROW).encode()[:-4], 2),
    ],
)
def test_what_is_not_utf8_is_refused_with_the_row_of_the_byte(api, level, content, row):
    before = stored()
    assert_bad_file(send(api, content), f"Row {row} is not UTF-8", f"row {row}")
    assert stored() == before
    assert_bad_file(send(api, content, onError="skip"), f"Row {row} is not UTF-8", f"row {row}")
    assert stored() == before


@pytest.mark.parametrize("content", ["\ufeff", "\n", "\n\n,,\n"])
def test_an_empty_file_is_refused(api, acme, content):
    assert_bad_file(send(api, content), "The file is empty")


def test_a_file_without_a_header_is_refused(api, acme):
    response = send(api, "prod_123,loc_123,60\n")
    assert_bad_file(response, "Row 1 must name the columns", "prod_123", "loc_123", "60")
    assert "minQuantity" in response.json()["error"]
    assert_bad_file(send(api, "\n" + table(HEADER, ROW)), "Row 1 is empty")


def test_half_a_character_in_a_header_is_shown_and_not_sent(api, acme):
    response = send(api, workbook([*HEADER, "_xD800_"], [*ROW, ""]), type_=XLSX)
    assert_bad_file(response, "unknown column", "\\ud800")


def test_ragged_rows_are_named(api, level):
    content = f"{','.join(HEADER)}\nprod_123,loc_123\nprod_123,loc_123,60,,\n{','.join(ROW)}\n"
    assert_aborted(
        send(api, content),
        row_2={"row": "has 2 cells where the header has 4"},
        row_3={"row": "has 5 cells where the header has 4"},
    )


def test_empty_rows_are_left_out_and_counted(api, acme):
    content = table(HEADER, [], ["", "", "", ""], ["prod_9", "loc_123", "", ""], [])
    assert_aborted(send(api, content), row_4={"productMasterId": "not found"})


def test_line_breaks_in_cells_do_not_count_as_rows(api, level):
    content = table(
        HEADER, [*ROW[:3], "one\ntwo\r\nthree"], ["prod_9", "loc_123", "", '"\n"'], separator=";"
    )
    assert_aborted(send(api, content), row_3={"productMasterId": "not found"})


@pytest.mark.parametrize("broken", ['"unfinished', 'a "quoted" b"', '"a"b'])
def test_broken_quotes_are_refused_with_their_row(api, level, broken):
    before = stored()
    content = table(HEADER, ROW) + f"prod_123,loc_456,1,{broken}\nprod_123,bin_123,1,x\n"
    response = send(api, content)
    if broken.startswith("a "):  # quotes inside of a cell that has none around it
        assert_imported(response, updated=1, created=2)
        return
    assert_bad_file(response, "Row 3 is not CSV", "row 3")
    assert stored() == before


def test_a_value_without_a_column_name_is_refused(api, level):
    content = "productMasterId,locationId,,\nprod_123,loc_123,,\nprod_123,loc_456,,lost\n"
    assert_aborted(send(api, content), row_3={"column 4": "no column name"})


@pytest.mark.parametrize("size", [200_000, 2_000_000])
def test_a_huge_cell_is_refused(api, acme, size):
    content = table(HEADER, [*ROW[:3], "x" * size])
    assert_bad_file(send(api, content), "Row 2", "row 2")


# --- forms and media types


@pytest.mark.parametrize("name", ["levels.csv", "levels.xlsx", "x"])
def test_a_form_brings_csv_and_xlsx_whatever_they_are_called(api, level, name):
    csv_file = SimpleUploadedFile(name, table(HEADER, ROW).encode(), "text/csv")
    assert_imported(upload(api, csv_file), updated=1)
    book = SimpleUploadedFile(name, workbook(HEADER, ["prod_123", "loc_123", 70, None]), XLSX)
    assert_imported(upload(api, book, query="?dryRun=true"), updated=1, dry_run=True)
    assert_imported(upload(api, book), updated=1)
    assert minimum(api, level) == 70


def test_a_form_with_anything_else_is_refused_by_name(api, acme):
    file = SimpleUploadedFile("x.csv", table(HEADER, ROW).encode())
    assert set(upload(api).json()["details"]) == {"file"}
    other = SimpleUploadedFile("y.csv", b"x")
    assert set(upload(api, file, file_2=other).json()["details"]) == {"file_2"}
    assert set(upload(api, file, onError="skip").json()["details"]) == {"onError"}
    assert set(upload(api, file, other).json()["details"]) == {"file"}
    broken = api.request(
        "POST", IMPORT, b"no form at all", Content_Type="multipart/form-data; boundary=x"
    )
    assert broken.status_code == 400


def test_all_options_that_are_wrong_are_told_at_once(api, acme):
    path = f"{IMPORT}?onError=ignore&dryRun=1&onerror=skip"
    response = api.request("POST", path, table(HEADER, ROW).encode(), Content_Type="text/csv")
    assert assert_error(response, 400, "VALIDATION_ERROR")["details"] == {
        "onError": ["must be one of abort, skip"],
        "dryRun": ["must be one of false, true"],
        "onerror": ["unknown parameter"],
    }


@pytest.mark.parametrize(
    "type_",
    ["application/json", "", "application/x-ndjson", "text/csv; charset=latin-1", "text/plain"],
)
def test_other_types_are_415(api, acme, type_):
    assert_error(send(api, table(HEADER, ROW), type_=type_), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_more_than_32_mib_are_413_and_name_the_command(api, acme, settings):
    settings.MAX_BULK_BODY = 100_000
    for type_, content in (
        ("text/csv", table(HEADER, ROW) + "\n" * 100_000),
        (XLSX, b"PK\x03\x04" + bytes(100_000)),
    ):
        body = assert_error(send(api, content, type_=type_), 413, "PAYLOAD_TOO_LARGE")
        assert "import_levels" in body["error"]
    large = SimpleUploadedFile("x.csv", table(HEADER, ROW).encode() + b"\n" * 100_000)
    assert "import_levels" in assert_error(upload(api, large), 413, "PAYLOAD_TOO_LARGE")["error"]
    for path in ("/products", "/locations"):
        body = assert_error(send(api, b"\n" * 100_001, path), 413, "PAYLOAD_TOO_LARGE")
        assert body["error"].endswith("MiB. Split it into several files.")
    larger = SimpleUploadedFile("x.csv", b"\n" * 300_000)
    assert_error(upload(api, larger), 413, "PAYLOAD_TOO_LARGE")
    exactly = table(HEADER).encode()
    assert_imported(send(api, exactly + b"\n" * (100_000 - len(exactly))))


# --- XLSX


def test_a_workbook_is_read_like_csv(api, level):
    content = workbook(
        ["Product ID", "location id", "minQuantity", "maxQuantity", "comments"],
        ["prod_123", "loc_123", 60, "null", "  Grüße\n😀 "],
        [],
        ["prod_123", "loc_456", 0, 12.5],
        ["prod_123", "bin_123", "1.5", "7", "'=1+1"],
    )
    assert_imported(send(api, content, type_=XLSX), updated=1, created=2)
    levels = {item["locationId"]: item for item in api.get(LEVELS).json()["items"]}
    names = ("minQuantity", "maxQuantity", "comments")
    assert [levels["loc_123"][name] for name in names] == [60, None, "  Grüße\n😀 "]
    assert [levels["loc_456"][name] for name in names] == [0, 12.5, None]
    assert [levels["bin_123"][name] for name in names] == [1.5, 7, "=1+1"]


def test_rows_of_a_workbook_are_counted_as_it_shows_them(api, acme):
    content = workbook(HEADER, [], [], ["prod_9", "loc_123"], ["prod_123", "loc_123", "1,5"])
    assert_aborted(
        send(api, content, type_=XLSX),
        row_4={"productMasterId": "not found"},
        row_5={"minQuantity": "decimal point"},
    )


def test_a_whole_number_in_a_text_column_is_read_as_its_digits(api, acme):
    product = {"id": "123", "globalSku": "4006381333931", "productName": "Pens"}
    assert api.post("/products", product).status_code == 201
    content = workbook(
        ["productMasterId", "sku", "locationId", "comments"], [123, 4006381333931, "loc_123", 12.5]
    )
    (result,) = assert_imported(send(api, content, type_=XLSX), created=1)
    assert api.get(f"{LEVELS}/{result['id']}").json()["comments"] == "12.5"
    content = workbook(HEADER, ["prod_123", "loc_456", None, 12345678901234567890])
    assert_aborted(send(api, content, type_=XLSX), row_2={"comments": "more than 15 digits"})


def test_a_computed_number_counts_as_the_spreadsheet_shows_it(api, level):
    content = workbook(HEADER, ["prod_123", "loc_123", 0.1 + 0.2])
    assert_imported(send(api, content, type_=XLSX), updated=1)
    assert minimum(api, level) == 0.3


@pytest.mark.parametrize(
    ("cell", "problem"),
    [(date(2026, 5, 1), "is a date"), (True, "is a boolean"), ("#N/A", "must be a number")],
)
def test_dates_and_booleans_are_refused(api, level, cell, problem):
    before = stored()
    for column in ("minQuantity", "comments"):
        if not isinstance(cell, str):
            content = workbook(["productMasterId", "locationId", column], [*ROW[:2], cell])
            assert_aborted(send(api, content, type_=XLSX), row_2={column: problem})
    assert stored() == before


def test_dates_in_columns_that_are_ignored_do_not_matter(api, level):
    content = workbook([*HEADER, "updatedAt", "version"], [*ROW, date(2026, 5, 1), True])
    assert_imported(send(api, content, type_=XLSX), updated=1)


SHARED_STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def crafted(cells: str, *, shared: str = "", head: str = "") -> bytes:
    """A workbook whose second row has these cells from C on, written by hand."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(HEADER, ["prod_123", "loc_123"]))) as template,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for part in template.namelist():
            xml = template.read(part).decode()
            if part == "xl/worksheets/sheet1.xml":
                row = (
                    f'<row r="1">{_texts(*HEADER)}</row><row r="2">{_texts(*ROW[:2])}{cells}</row>'
                )
                xml = (
                    f'{head}<worksheet xmlns="{NAMESPACE}"><sheetData>{row}</sheetData></worksheet>'
                )
            if part == "xl/_rels/workbook.xml.rels" and shared:
                relation = f'<Relationship Type="{OFFICE}/sharedStrings" Target="s.xml" Id="s"/>'
                xml = xml.replace("</Rel", f"{relation}</Rel")
            if part == "[Content_Types].xml" and shared:
                xml = xml.replace(
                    "</Types",
                    f'<Override PartName="/xl/s.xml" ContentType="{SHARED_STRINGS}"/></Types',
                )
            archive.writestr(part, xml)
        archive.writestr("xl/s.xml", f'<sst xmlns="{NAMESPACE}">{shared}</sst>')
    return content.getvalue()


def _texts(*texts: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)


@pytest.mark.parametrize(
    ("cell", "comments"),
    [
        ('<c r="D2" t="inlineStr"><is><t>_x0041_</t></is></c>', "A"),
        ('<c r="D2" t="inlineStr"><is><t>_x005F_x0041_</t></is></c>', "_x0041_"),
        ('<c r="D2" t="inlineStr"><is><t>a_x000D_\nb_x000d_c</t></is></c>', "a\nb\nc"),
        ('<c r="D2" t="inlineStr"><is><r><t>Gr</t></r><r><t>ün</t></r></is></c>', "Grün"),
        ('<c r="D2" t="s"><v>1</v></c>', "_x005F_ & <more>"),
        ('<c r="D2" t="s"><v>2</v></c>', "東京"),
        ('<c r="D2" t="str"><f>A2&amp;"!"</f><v>prod_123!</v></c>', "prod_123!"),
        ('<c r="D2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c/><c t="inlineStr"><is><t>unplaced</t></is></c>', "unplaced"),
        ('<c r="D2"><v>1.5E+3</v></c>', "1500"),
    ],
)
def test_texts_come_out_of_a_workbook_as_they_are_shown(api, level, cell, comments):
    shared = (
        "<si><t>zero</t></si><si><t>_x005F_x005F_ &amp; &lt;more&gt;</t></si>"
        "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si>"
    )
    response = send(api, crafted(cell, shared=shared), type_=XLSX)
    assert_imported(response, updated=1)
    assert api.get(f"{LEVELS}/{level['id']}").json()["comments"] == comments


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ('<c r="C2"><f>1+1</f></c>', "without a computed value"),
        ('<c r="C2"><f>1+1</f><v></v></c>', "without a computed value"),
        ('<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "holds the error #DIV/0!"),
        ('<c r="C2" t="e"><v>#N/A</v></c>', "holds the error #N/A"),
        ('<c r="C2" t="d"><v>2026-05-01</v></c>', "is a date"),
        ('<c r="C2"><v>1e999</v></c>', "must be a number"),
        ('<c r="C2"><v>1e-300</v></c>', "4 digits after"),
        ('<c r="C2"><v>-1</v></c>', "must not be negative"),
    ],
)
def test_a_cell_without_a_value_to_trust_is_never_a_blank(api, level, cell, problem):
    before = stored()
    assert_aborted(send(api, crafted(cell), type_=XLSX), row_2={"minQuantity": problem})
    assert stored() == before


def test_a_formula_whose_value_is_an_empty_text_is_a_blank(api, level):
    """Such as =IF(A2="", "", 5), with which planners fill whole columns."""
    cell = '<c r="C2" t="str"><f>IF(A9="","",5)</f>{}</c>'
    for value in ("<v></v>", "<v/>"):
        assert_imported(send(api, crafted(cell.format(value)), type_=XLSX), unchanged=1)
    never = send(api, crafted(cell.format("")), type_=XLSX)
    assert_aborted(never, row_2={"minQuantity": "without a computed value"})


def bomb() -> bytes:
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(HEADER, ROW))) as template,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for part in template.namelist():
            blanks = b" " * 50_000_000 if part == "xl/worksheets/sheet1.xml" else b""
            archive.writestr(part, template.read(part) + blanks)
    return content.getvalue()


def entries(count: int) -> bytes:
    content = io.BytesIO(workbook(HEADER, ROW))
    with zipfile.ZipFile(content, "a") as archive:
        for number in range(count):
            archive.writestr(f"{number}", b"")
    return content.getvalue()


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (bomb(), "unpacks to more than 100 times"),
        (entries(10_001), "too many parts"),
        (crafted("", head=LAUGHS), "XML entities"),
        (crafted("<c><v>&a;</v></c>", head=OUTSIDE), "XML entities"),
        (crafted('<c r="C2" t="s"><v>99</v></c>'), "damaged"),
        (crafted('<c r="C2" t="s"><v>-1</v></c>'), "damaged"),
        (crafted('<c r="C2" t="s"><v>x</v></c>'), "damaged"),
        (crafted('<c r="C2"><v>1</w></c>'), "damaged"),
        (crafted('<c r="C2"><v>x</v></c>'), "damaged"),
        (crafted('<c r="C2"><v>NaN</v></c>'), "damaged"),
        (crafted('<c r="2"><v>1</v></c>'), "damaged"),
        (crafted('<c r="XFD2"><v>1</v></c>'), "more than 256 columns"),
        (workbook(HEADER, ROW)[:-100], "damaged"),
        (workbook(HEADER, ROW)[:1000], "damaged"),
        (b"PK\x03\x04", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as .xlsx"),
    ],
)
def test_broken_and_hostile_workbooks_are_refused(api, level, content, part):
    before = stored()
    assert_bad_file(send(api, content, type_=XLSX), part)
    assert stored() == before


def test_a_zip_archive_that_is_no_workbook_is_refused(api, acme):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("levels.csv", table(HEADER, ROW))
    assert_bad_file(send(api, content.getvalue(), type_=XLSX), "not an Excel workbook")


def test_the_first_sheet_counts(api, level):
    book = openpyxl.Workbook()
    for row in (HEADER, ROW):
        book.active.append(row)
    book.create_sheet("Notes").append(["anything"])
    content = io.BytesIO()
    book.save(content)
    assert_imported(send(api, content.getvalue(), type_=XLSX), updated=1)
