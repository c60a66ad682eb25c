"""What every viewset shares: the contract's order of checks, strict parameters, and pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions, viewsets
from rest_framework.request import Request
from rest_framework.views import APIView

from inventory_levels.api.fields import StrictSerializer
from inventory_levels.api.pagination import Pages, Reader, models_of
from inventory_levels.shown import Indexed
from inventory_levels.values import printable
from organizations.public_ids import RESERVED
from organizations.statements import Question

# Bytes of a body that may be read before it is known who sends it.
SHORT_BODY = 16 * 1024
_RENDERER: Any = APIView.renderer_classes[0]()
_WORDS = "|".join(map(re.escape, sorted(RESERVED)))


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> HttpResponse:
    """What REST framework's Response becomes in the end, in half the time."""
    return HttpResponse(_RENDERER.render(content), _RENDERER.media_type, status, headers=headers)


def check_parameters(request: Request, *known: str, **choices: Sequence[str]) -> None:
    """Refuse query parameters that are unknown, or given twice, by name.

    Of ``choices`` each parameter takes one.
    """
    query = request.META["QUERY_STRING"]
    if not query:
        return
    problems = {}
    for pair in query.split("&"):
        try:
            unquote_to_bytes(pair).decode()
        except UnicodeDecodeError:
            problems[printable(unquote(pair.partition("=")[0]))] = ["must be valid UTF-8"]
    for name, values in request.query_params.lists():
        if name not in (*known, *choices):
            problems[printable(name)] = ["unknown parameter"]
        elif len(values) > 1:
            problems[name] = ["is given more than once"]
        elif values[0] not in choices.get(name, values):
            problems[name] = [f"must be one of {', '.join(choices[name])}"]
    if problems:
        raise exceptions.ValidationError(problems)


class ApiViewSet(viewsets.GenericViewSet[Any]):
    """What every viewset shares: the contract's order of checks, and strict parameters.

    The class's queryset is empty: it only tells the documentation the model.
    """

    http_method_names = ["get", "head", "post", "patch", "delete"]
    scope = "inventory"
    read_only_actions: frozenset[str] = frozenset()
    pagination_class: type[Pages] = Pages
    filter_backends = [DjangoFilterBackend]
    filterset_class: Any = None
    lookup_field = "public_id"
    shape: StrictSerializer
    refused_body: exceptions.APIException | None = None
    # An id is none of the words that paths have in its place.
    lookup_value_regex = rf"(?!(?:{_WORDS})/?$)[A-Za-z0-9_.:-]{{1,64}}"

    @property
    def max_body(self) -> int:
        """Bytes a body may have."""
        return int(settings.MAX_BULK_BODY if self.action == "bulk" else settings.MAX_BODY)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Of one organization, and true at the moment: caches ask again."""
        is_405 = self.action in (None, "metadata")  # OPTIONS is metadata, which there is none of
        allowed = super().default_response_headers if is_405 else {}
        return {**allowed, "Cache-Control": "private, no-cache"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            # Nobody asks any more who knows whom: else all would wait for the garbage collector,
            # while the next request takes memory that no cache holds.
            self.request.parser_context.clear()
            for method in self.action_map:
                vars(self).pop(method, None)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """HTTPS where it is required, then key and organization, method, scope."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(
            request
        )
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise exceptions.ValidationError(["Use https: keys don't travel over plain HTTP."])
        authenticated: Any = request
        authenticated._authenticate()  # in half the steps that ``auth`` takes to ask it to
        if request.auth is None:
            raise exceptions.NotAuthenticated
        self.check_throttles(request)
        if self.action is None:
            raise exceptions.MethodNotAllowed(request.method or "")
        self.check_permissions(request)

    def question(self) -> Question | None:
        """What the request asks of its organization, where one row answers that.

        The statement that checks its key does.
        """
        return None

    @property
    def answer(self) -> Sequence[Any]:
        caller: Any = self.request.auth
        answer: Sequence[Any] = caller.answer
        return answer

    @property
    def has_short_body(self) -> bool:
        """Whether it costs little to read it for anybody, whoever that is."""
        length = self.request.META.get("CONTENT_LENGTH") or "0"
        return len(length) <= 5 and length.isdecimal() and int(length) <= SHORT_BODY

    def body(self, request: Request) -> Any:
        """The JSON body. Raises for its type, size and syntax, in this order, at each call."""
        if self.refused_body is None:
            try:
                return self._body(request)
            except exceptions.APIException as error:
                self.refused_body = error  # REST framework would find an empty body from now on
        raise self.refused_body

    def _body(self, request: Request) -> Any:
        """REST framework would take a missing body for an empty object."""
        if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            raise exceptions.UnsupportedMediaType("", "Send the body without Content-Encoding.")
        if not self.get_content_negotiator().select_parser(request, self.get_parsers()):
            missing = None if request.content_type else "Send Content-Type: application/json."
            raise exceptions.UnsupportedMediaType(request.content_type, missing)
        if not request.META.get("CONTENT_LENGTH", "0").strip("0"):
            raise exceptions.ParseError("The body is empty.")
        return request.data

    def check_parameters(self, *known: str, **choices: Sequence[str]) -> None:
        """Refuse query parameters that are unknown, given twice, or none of the choices."""
        check_parameters(self.request, *known, **choices)

    def check_list_parameters(self) -> None:
        """Likewise, knowing those of a list: of its pages and its filters."""
        paginator: Any = self.paginator
        self.check_parameters(*paginator.parameters, *self.filterset_class.base_filters)

    def page_of(self, rows: Any, read: Reader | None = None) -> HttpResponse:
        """The page that the query asks for of the rows; ``read`` reads them as JSON has them."""
        self.check_list_parameters()
        paginator: Any = self.paginator
        paginator.begin(self.request)
        chosen = rows if isinstance(rows, Indexed) else self.filter_queryset(rows)
        items = paginator.page(chosen, read or partial(models_of, rows))
        if read is None:
            items = [self.shape.to_representation(row) for row in items]
        return json_response(paginator.body(items))
