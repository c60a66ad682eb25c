"""Probes: is the process up, and can it work."""

from collections.abc import Callable

from django import db
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from inventory_project.metrics import metrics


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process is up. No I/O."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and every migration is applied; else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        ready = _every_migration_is_applied()
    except db.Error:
        return JsonResponse({"status": "database unreachable"}, status=503)
    if not ready:
        return JsonResponse({"status": "migrations missing"}, status=503)
    return JsonResponse({"status": "ready"})


def _every_migration_is_applied() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


class ProbeMiddleware:
    """Answers the probes before anything asks for a known host or for HTTPS: an orchestrator
    calls a process by its address, over plain HTTP, and so does Prometheus."""

    PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = self.PROBES.get(request.path.removesuffix("/"))
        return probe(request) if probe else self.get_response(request)
