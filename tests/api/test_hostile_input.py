"""Input that means harm: a 4xx in the one error shape, nothing in the log, nothing stored."""

import gzip
import io
import json
import logging

import pytest
from django.core.signals import request_started
from django.db import close_old_connections

from inventory_project.wsgi import application
from tests.api.answers import NO_LEVEL, assert_error, assert_invalid, case, stored

PATH = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
MIB = 2**20

CONTROLS = [chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"]
CONTROLS += [chr(code) for code in range(0x7F, 0xA0)]
NOT_TEXT = [*CONTROLS, "\ufffe", "\uffff"]
SURROGATES = ["\ud800", "\udbff", "\udc00", "\udfff", "\udc00\ud800"]


@pytest.fixture(autouse=True)
def nothing_is_logged_or_stored(level, caplog):
    before = stored()
    with caplog.at_level(logging.WARNING):
        yield
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in logged] == []
    assert stored() == before


@pytest.fixture
def send(api, level):
    """Send a body to both ways of writing a level; answers both answers."""

    def send(body, **headers):
        requests = [("POST", PATH, PAIR), ("PATCH", f"{PATH}/{level['id']}", {})]
        return [
            api.request(
                method,
                path,
                json.dumps(least | body).encode() if isinstance(body, dict) else body,
                **headers,
            )
            for method, path, least in requests
        ]

    return send


def assert_errors(responses, status, code):
    for response in responses:
        assert_error(response, status, code, fields=set())


def assert_both_invalid(responses, *fields):
    for response in responses:
        assert_invalid(response, *fields)


# JSON


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b'{"minQuantity": }',
        b'{"minQuantity": 5,}',
        b'{"minQuantity" 5}',
        b'{"minQuantity": 5} x',
        b'{"minQuantity": 5}{"minQuantity": 5}',
        b"{'minQuantity': 5}",
        b"{minQuantity: 5}",
        b'{"minQuantity": 05}',
        b'{"minQuantity": NaN}',
        b'{"minQuantity": Infinity}',
        b'{"minQuantity": -Infinity}',
        b'{"unknown": [NaN]}',
        b'{"comments": "\x00"}',
        b'{"comments": "\x1f"}',
        b'{"comments": "a\nb"}',
        b'{"comments": "a\tb"}',
        b'{"comments": "\\x41"}',
        b'{"comments": "\\u12"}',
        b'{"comments": "open',
        b'{"comments": undefined}',
        b"// comment\n{}",
        b"minQuantity=5",
        b"<level/>",
        b"NaN",
        b"\x00",
        b"\x00" * 1000,
        b"  \n\t ",
        b"\xef\xbb\xbf",
        b'\xef\xbb\xbf{"minQuantity": 5}',  # a byte order mark
        b'{"minQuantity": 5}\x00',
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_json_is_refused(send, body):
    assert_errors(send(body), 400, "INVALID_JSON")


@pytest.mark.parametrize(
    "bytes_",
    [b"\xff", b"\x80", b"\xc0\x80", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xfe\xff"],
)
@pytest.mark.parametrize("body", [b'{"comments": "%s"}', b'{"%s": 5}', b'{"minQuantity": 5}%s'])
def test_invalid_utf_8_is_refused(send, body, bytes_):
    assert_errors(send(body % bytes_), 400, "INVALID_JSON")


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-7", "cp037"]
)
def test_another_encoding_is_refused(send, encoding):
    body = json.dumps(PAIR | {"comments": "żółć"}, ensure_ascii=False)
    if encoding == "cp037":
        body = json.dumps(PAIR)
    encoded = body.encode(encoding)
    if encoding == "utf-7":
        encoded = encoded.replace(b'"', b"+ACI-")
    assert_errors(send(encoded), 400, "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [
        b'{"minQuantity": 5, "minQuantity": 6}',
        b'{"minQuantity": 5, "minQuantity": 5}',
        b'{"minQuantity": 5, "min\\u0051uantity": 6}',
        b'{"comments": "a", "reorderQuantity": 101, "comments": null}',
        b'{"product": {"id": "a", "id": "b"}}',
        b'{"unknown": [{"a": 1, "a": 1}]}',
        b'{"": 1, "": 1}',
    ],
)
def test_a_key_that_comes_twice_is_refused(send, body):
    assert_errors(send(body), 400, "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [b"[]", b'[{"minQuantity": 5}]', b"null", b"true", b"5", b"1e400", b'"text"', b'"{}"', b"[[]]"],
)
def test_a_body_that_is_no_object_is_refused(send, body):
    for response in send(body):
        assert response.status_code == 400
        assert response.json()["code"] in ("VALIDATION_ERROR", "INVALID_JSON")
        assert_error(response, 400, response.json()["code"], fields=set())


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"comments":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"product":' + b"[" * DEEP + b"]" * DEEP + b"}",  # a field that is ignored
        b'{"a":[' * 50_000 + b"]}" * 50_000,
    ],
    ids=["open", "closed", "objects", "closed objects", "in a field", "in an echo", "mixed"],
)
def test_nesting_100_000_deep_is_refused(send, body):
    assert_errors(send(body), 400, "INVALID_JSON")


@pytest.mark.parametrize("depth", [50, 400, 900, 990, 1_000, 3_000, 10_000])
def test_nesting_of_any_depth_is_refused(send, depth):
    for response in send(b'{"comments":' + b"[" * depth + b"]" * depth + b"}"):
        assert response.status_code == 400
        assert_error(response, 400, response.json()["code"])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_an_empty_body_is_refused(api, level, method, content_type):
    path = PATH if method == "POST" else f"{PATH}/{level['id']}"
    response = api.client.generic(
        method,
        f"/api{path}",
        b"",
        headers={"Authorization": f"Bearer {api.key}"},
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH="0",
    )
    assert_error(response, 400, "INVALID_JSON", fields=set())


# Texts


def test_control_characters_are_refused_in_every_text(send):
    valid = {"comments": "ok", "status": "Stock", "abcClass": "A"}
    for character in NOT_TEXT:
        for place in ("{0}", "{0}{1}{2}", "{1}{2}{0}", "{1}{0}{2}"):
            body = {
                name: place.format(character, text[:1], text[1:]) for name, text in valid.items()
            }
            with case(body):
                assert_both_invalid(send(body), *valid)


def test_only_plain_characters_make_an_id(send):
    fields = (
        "productMasterId",
        "productId",
        "locationId",
        "preferredBinLocationId",
        "replenishmentLocationId",
    )
    for character in [*NOT_TEXT, *SURROGATES, *"\t\n\r /,\u2028\u0130\U0001f600"]:
        for id in (character, f"{character}prod_123", f"prod_123{character}", f"a{character}b"):
            with case(id):
                assert_both_invalid(send(dict.fromkeys(fields, id)), *fields)


@pytest.mark.parametrize("surrogate", SURROGATES, ids=ascii)
@pytest.mark.parametrize("field", ["comments", "status", "abcClass", "minQuantity", "product"])
def test_half_a_surrogate_pair_is_refused_and_never_stripped(send, field, surrogate):
    for text in (surrogate, f"A{surrogate}", f"{surrogate}A"):
        responses = send({field: text})
        if field == "product":  # ignored, so there is nothing to refuse
            assert [response.status_code for response in responses] == [200, 200]
        else:
            assert_both_invalid(responses, field)


def test_a_whole_surrogate_pair_is_one_character(send):
    assert_both_invalid(send({"comments": "\U0001f600" * 4001}), "comments")
    escaped = (
        b'{"productMasterId": "prod_123", "locationId": "loc_123", "status": "\\ud83d\\ude00"}'
    )
    assert_both_invalid(send(escaped), "status")


@pytest.mark.parametrize(
    "name", ["\x00", "a\x00b", "\ud800", "a\udfff", "\x1b[31m", "\n", "\u202e", "x" * 100_000]
)
def test_a_hostile_field_name_is_refused(send, name):
    for response in send({name: 5}):
        body = assert_error(response, 400, "VALIDATION_ERROR")
        assert len(body["details"]) == 1
        assert len(response.content) < 2_000, "a refusal does not send a flood back"


def test_ten_thousand_unknown_fields_are_refused(send):
    for response in send({f"field_{number}": number for number in range(10_000)}):
        assert_error(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "field", ["productMasterId", "locationId", "preferredBinLocationId", "status", "comments"]
)
def test_a_very_long_text_is_refused(send, field):
    for length in (10_000, 900_000):
        responses = send({field: "x" * length})
        assert_both_invalid(responses, field)
        assert max(len(response.content) for response in responses) < 2_000


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE inventory_levels_inventorylevel; --", "${7*7}", "{{7*7}}", "%s%n", "../../etc"],
)
def test_code_is_no_id(send, text):
    assert_both_invalid(send({"preferredBinLocationId": text}), "preferredBinLocationId")


# Numbers


@pytest.mark.parametrize(
    "literal",
    [
        "1e400",
        "-1e400",
        "1e-400",
        "1e999999999999999999999",
        "1e-99999999999999999999",
        "-1e-99999999999999999999",
        "9" * 4_299,
        "9" * 4_301,  # more digits than Python reads as an integer by default
        "-" + "9" * 100_000,
        "9" * 900_000,
        "0." + "0" * 100_000 + "1",
        "0." + "3" * 900_000,
        "1" + "0" * 50 + "e-30",
    ],
    ids=lambda literal: f"{literal[:8]}…{len(literal)}",
)
def test_numbers_beyond_all_bounds_are_refused(send, literal):
    for field in ("minQuantity", "expectedLeadTimeDays"):
        body = json.dumps(PAIR)[:-1] + f', "{field}": {literal}}}'
        assert_both_invalid(send(body.encode()), field)


@pytest.mark.parametrize("literal", ["1e400", "9" * 5_000, "1e-99999999999999999999"])
@pytest.mark.parametrize("field", ["comments", "productMasterId", "unknown"])
def test_huge_numbers_elsewhere_are_refused_for_their_type(send, field, literal):
    body = {**PAIR, field: 0}
    text = json.dumps(body).replace(f'"{field}": 0', f'"{field}": {literal}')
    assert_both_invalid(send(text.encode()), field)


# Size


def padded(length):
    body = json.dumps(PAIR).encode()
    return body + b" " * (length - len(body))


def test_a_body_of_exactly_one_mebibyte_is_read(send):
    assert [response.status_code for response in send(padded(MIB))] == [200, 200]


@pytest.mark.parametrize("length", [MIB + 1, 3 * MIB, 40 * MIB])
def test_a_body_beyond_one_mebibyte_is_a_413(send, length):
    assert_errors(send(padded(length)), 413, "PAYLOAD_TOO_LARGE")


# Media types


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json ; charset=UTF8",
        "APPLICATION/JSON",
        "Application/Json; Charset=Utf-8",
    ],
)
def test_json_is_understood_however_it_is_declared(send, content_type):
    body = json.dumps(PAIR).encode()
    responses = send(body, **{"Content-Type": content_type})
    assert [response.status_code for response in responses] == [200, 200]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        " ",
        "text/plain",
        "text/json",
        "text/html",
        "text/csv",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "application/jsonp",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/vnd.api+json",
        "application/octet-stream",
        "application",
        "application/",
        "/json",
        "json",
        "*/*",
        "application/*",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=iso-8859-1",
        "application/json; charset=bogus",
        "é",
        "x" * 10_000,
    ],
)
def test_anything_else_is_a_415(send, content_type):
    body = json.dumps(PAIR | {"minQuantity": 5}).encode()
    responses = send(body, **{"Content-Type": content_type})
    assert_errors(responses, 415, "UNSUPPORTED_MEDIA_TYPE")


# What only a server sees: headers that Django reads before any of our code does.


def raw(api, method, path, body=b"", **environ):
    """The status and the JSON that the WSGI application gives."""
    answered = {}

    def start_response(status, headers, exc_info=None):
        answered.update(status=int(status.split()[0]), headers=dict(headers))

    result = application(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/api{path}",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {api.key}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            **environ,
        },
        start_response,
    )
    content = b"".join(result)
    return answered["status"], json.loads(content)


@pytest.fixture
def keep_the_connection():
    """Starting a request outside Django's test client would close the connection, and with it
    the test's transaction."""
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


@pytest.mark.usefixtures("keep_the_connection")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset*=bogus''utf-8",
        "application/json; charset*=utf-8''utf-16",
        "application/json; charset*=utf-8",
        "application/json; charset*='",
        "application/json; charset*=''",
        "application/json; charset*=utf-8''%ff",
        "application/json; =; ;=",
        'application/json; charset="',
        "application/json; " + "a=b; " * 10_000 + "charset=utf-16",
    ],
    ids=lambda text: text[18:45],
)
def test_a_media_type_with_broken_parameters_is_never_a_500(api, content_type):
    body = json.dumps(PAIR).encode()
    status, answer = raw(api, "POST", PATH, body, CONTENT_TYPE=content_type)
    assert status in (200, 415)
    if status == 415:
        assert answer["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.usefixtures("keep_the_connection")
def test_a_chunked_body_is_read_and_its_size_limited(api):
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
    body = json.dumps(PAIR).encode()
    status, answer = raw(api, "POST", PATH, body, CONTENT_LENGTH="", **chunked)
    assert (status, answer["minQuantity"]) == (200, 50)
    large = body + b" " * MIB
    status, answer = raw(api, "POST", PATH, large, CONTENT_LENGTH="", **chunked)
    assert (status, answer["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.usefixtures("keep_the_connection")
@pytest.mark.parametrize("length", ["", "0", "9" * 30])
def test_a_content_length_that_is_not_true_is_never_a_500(api, length):
    status, answer = raw(api, "POST", PATH, b"", CONTENT_LENGTH=length)
    assert status in (400, 413)
    assert set(answer) == {"error", "code"}


@pytest.mark.usefixtures("keep_the_connection")
def test_a_body_that_ends_early_is_a_400(api):
    body = json.dumps(PAIR).encode()
    status, answer = raw(api, "POST", PATH, body[:-5], CONTENT_LENGTH=str(len(body)))
    assert (status, answer["code"]) == (400, "INVALID_JSON")


@pytest.mark.usefixtures("keep_the_connection")
@pytest.mark.parametrize("path", ["/\xff\xfe", "/inventory-levels/\xed\xa0\x80", "/a\x00b", "/\n"])
def test_a_path_of_any_bytes_is_a_404(api, path):
    status, answer = raw(api, "GET", path)
    assert (status, answer["code"]) == (404, "NOT_FOUND")


# Paths and query strings


@pytest.mark.parametrize(
    "id",
    [
        "%00",
        "a%00b",
        "level_1%00",
        "%0a",
        "level_1%0a",
        "%0alevel_1",
        "level_1%0d%0a",
        "%ff",
        "%ed%a0%80",
        "%c0%ae",
        "a%20b",
        "%20level_1",
        "a%2fb",
        "%e2%84%aa",
        "%F0%9F%98%80",
        "*",
        "'",
        "a,b",
        "<b>",
        "%25",
        "%",
        "%zz",
        ".",
        "..",
        "%2e%2e",
        "x" * 65,
        "x" * 10_000,
    ],
    ids=lambda id: id[:20],
)
def test_a_malformed_id_in_a_path_is_a_404(api, id):
    for path in (f"{PATH}/{id}", f"{PATH}/{id}/"):
        assert_errors([api.get(path), api.delete(path)], 404, "NOT_FOUND")
        assert_errors([api.patch(path, {"minQuantity": 5})], 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/%00", "/%0a", "/a%0ab", "/inventory-levels%0a", "/%ff", "//", "/inventory-levels//"]
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_path_of_odd_characters_is_a_json_404(api, settings, path, debug):
    settings.DEBUG = debug
    assert_error(api.get(path), 404, "NOT_FOUND", fields=set())
    assert_error(api.post(path, PAIR), 404, "NOT_FOUND", fields=set())


QUERIES = [
    "%00=1",
    "a%00b=1",
    "%ff=1",
    "%ed%a0%80=1",
    "%0a=1",
    "=1",
    "__proto__=1",
    "limit[]=5",
    "limit%00=5",
    "page;limit=5",
    "%F0%9F%98%80=1",
    "x" * 10_000 + "=1",
    "x=" + "y" * 10_000,
    "&".join(f"p{number}=1" for number in range(900)),
    "&".join(f"p{number}=1" for number in range(5_000)),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:16])
def test_a_hostile_query_string_is_refused(api, level, query):
    path = f"{PATH}/{level['id']}?{query}"
    for response in (
        api.get(path),
        api.get(f"{PATH}?{query}"),
        api.post(f"{PATH}?{query}", PAIR | {"minQuantity": 5}),
        api.patch(path, {"minQuantity": 5}),
        api.delete(path),
    ):
        assert_error(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("value", ["%00", "%ff", "%ed%a0%80", "5%00", "9" * 10_000, "%F0%9F%98%80"])
@pytest.mark.parametrize("name", ["page", "limit"])
def test_a_hostile_value_of_a_known_parameter_is_refused(api, name, value):
    assert_invalid(api.get(f"{PATH}?{name}={value}"), name)


# Headers


@pytest.mark.parametrize(
    "given",
    [
        "a b",
        "<script>",
        '"quoted"',
        "a\tb",
        "a;b",
        "é",
        "\x7f",
        "%0d%0aSet-Cookie",
        "x" * 1_000,
        "\x00",
        "a\r\nSet-Cookie: b=c",
        "a\nb",
        "ok\n",
    ],
)
def test_a_hostile_request_id_is_not_echoed(api, given):
    for path in (PATH, "/nothing"):
        response = api.get(path, X_Request_Id=given)
        assert response.headers["X-Request-Id"].isascii()
        assert given.strip() not in response.headers["X-Request-Id"]
        assert response.headers["X-Request-Id"].strip() != "ok"
        assert "Set-Cookie" not in response.headers


def test_a_sane_request_id_is_echoed_and_otherwise_each_answer_has_its_own(api):
    for given in ("abc", "7b2e4c1a-0d1f-4f0e-9a63-0c2f3a1f9a11", "01m83thmd8scj6xp0ypyp8t4nd"):
        assert api.get(PATH, X_Request_Id=given).headers["X-Request-Id"] == given
        refused = api.post(PATH, b"{", X_Request_Id=given)
        assert_error(refused, 400, "INVALID_JSON")
        assert refused.headers["X-Request-Id"] == given
    assert len({api.get(PATH).headers["X-Request-Id"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    "header", ["If-Match", "If-None-Match", "Accept", "Accept-Language", "X-Organization-Id"]
)
@pytest.mark.parametrize("value", ["\x00", "é" * 100, '"' * 5_000, "x" * 10_000, ", " * 2_000])
def test_a_hostile_header_is_never_a_500(api, level, header, value):
    responses = [
        api.get(f"{PATH}/{level['id']}", **{header: value}),
        api.get(PATH, **{header: value}),
        api.post(PATH, PAIR, **{header: value}),
        api.patch(f"{PATH}/{level['id']}", {}, **{header: value}),
    ]
    for response in responses:
        assert response.status_code in (200, 400, 412)
        assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml", "image/png"])
def test_browsers_get_json_too(api, level, accept):
    answered = api.get(f"{PATH}/{level['id']}", Accept=accept)
    assert (answered.headers["Content-Type"], answered.json()) == ("application/json", level)
    missing = api.get(f"{PATH}/level_missing", Accept=accept)
    assert_error(missing, 404, "NOT_FOUND", error=NO_LEVEL)


@pytest.mark.parametrize("debug", [False, True])
def test_a_foreign_host_is_a_json_400(api, settings, debug):
    settings.ALLOWED_HOSTS = ["inventory.example"]
    settings.DEBUG = debug
    # Without the header it is the server's own name, which is none of those.
    assert_error(api.get(PATH), 400, "VALIDATION_ERROR", fields=set())
    for host in ("evil.example", "a b", "é", "x" * 1_000):
        assert api.get(PATH, Host="inventory.example").status_code == 200
        for _ in range(2):
            assert_error(api.get(PATH, Host=host), 400, "VALIDATION_ERROR", fields=set())


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "utf-8"])
def test_an_encoded_body_is_refused_for_its_encoding(api, encoding):
    response = api.post(PATH, gzip.compress(b"{}"), **{"Content-Encoding": encoding})
    assert_error(response, 415, "UNSUPPORTED_MEDIA_TYPE", fields=set())
    assert "Content-Encoding" in response.json()["error"]


@pytest.mark.parametrize("parameter", ["search", "sku", "status", "nope"])
@pytest.mark.parametrize("bytes_", ["%ff", "a%ed%a0%80", "%c3%28"])
def test_a_query_that_is_not_utf_8_is_refused_and_never_searched_for(api, parameter, bytes_):
    response = api.get(f"{PATH}?{parameter}={bytes_}")
    assert_error(response, 400, "VALIDATION_ERROR", fields={parameter})
