"""A typed Python client, generated from the served document, does an integrator's work."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.files import XLSX
from tests.conftest import Api
from tests.live import Database, Server, new_location, new_product
from tests.openapi.document import operations

# Nobody reads the code, so nobody formats it; files are bytes to the generator.
CONFIG = f"""
post_hooks: []
content_type_overrides:
  text/csv: application/octet-stream
  {XLSX}: application/octet-stream
  application/x-ndjson: text/plain
"""
INTEGRATOR = Path(__file__).with_name("integrator.py")


def run(module: str, *arguments: Any, **environment: str) -> str:
    """Run a tool; answers all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=os.environ | {"NO_COLOR": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def generated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package that the generator made, without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    answer = server.send("GET", "/api/schema", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    document, config = folder / "document.yaml", folder / "config.yaml"  # JSON is YAML too
    document.write_bytes(answer.content)
    config.write_text(CONFIG)
    printed = run(
        "openapi_python_client",
        *("generate", "--fail-on-warning", "--meta", "none"),
        *("--path", document, "--config", config, "--output-path", folder / "inventory_client"),
    )
    assert "warning" not in printed.lower()
    return folder


@pytest.fixture(scope="module")
def written_with_it(generated: Path) -> Iterator[Any]:
    """The integrator's module, which imports the package."""
    sys.path.insert(0, str(generated))
    yield importlib.import_module("tests.openapi.integrator")
    sys.path.remove(str(generated))


@pytest.fixture
def models(written_with_it: Any) -> Any:
    return importlib.import_module("inventory_client.models")


@pytest.fixture
def levels(
    written_with_it: Any, live_api: Api, server: Server, live_database: Database
) -> Iterator[Any]:
    levels = written_with_it.Levels(f"http://127.0.0.1:{server.port}", live_database.key)
    with levels.client:
        yield levels


def test_the_client_and_what_is_written_with_it_are_typed_strictly(generated: Path):
    cache = generated / "cache"
    printed = run(
        "mypy",
        *("--strict", "--config-file", os.devnull, "--cache-dir", cache, "--no-namespace-packages"),
        *(generated / "inventory_client", INTEGRATOR),
        MYPYPATH=str(generated),
    )
    assert "no issues found" in printed


def test_it_has_a_function_for_each_operation(generated: Path):
    made = {file.stem for file in (generated / "inventory_client" / "api").rglob("*.py")}
    assert made - {"__init__"} == {operation.name for operation in operations()}


def test_it_creates_updates_reads_and_deletes(levels: Any, models: Any, live_api: Api):
    product = new_product(live_api, "prod_generated")
    wanted = models.LevelRequest(
        product_master_id=product,
        location_id="loc_123",
        min_quantity=0,
        reorder_quantity=12.5,
        abc_class=models.AbcClass.A,
        comments="by a generated client",
    )
    created, level = levels.save(wanted)
    assert created is True
    assert (level.min_quantity, level.reorder_quantity, level.max_quantity) == (0, 12.5, None)
    assert level.status is models.LevelStatus.SUPPORTED
    assert level.abc_class is models.AbcClass.A
    assert (level.version, level.comments) == (1, "by a generated client")
    assert level.product.sku == level.product_master.global_sku == product
    assert level.location.name == "Main warehouse"
    assert abs(level.created_at - datetime.now(UTC)) < timedelta(hours=1)

    assert levels.save(wanted) == (False, level), "a retry changes nothing"

    changed = levels.change(
        level.id,
        models.PatchedLevelRequest(
            max_quantity=80, abc_class=None, status=models.LevelStatus.NOT_SUPPORTED
        ),
    )
    assert (changed.max_quantity, changed.abc_class, changed.version) == (80, None, 2)
    assert changed.status is models.LevelStatus.NOT_SUPPORTED
    assert changed.reorder_quantity == 12.5, "what it left out stays"

    read, etag = levels.read(level.id)
    assert read == changed
    assert levels.is_current(level.id, etag) is True

    deleted = levels.delete(level.id)
    assert (deleted.success, deleted.message) == (True, "Inventory level deleted")
    assert live_api.get(f"/inventory-levels/{level.id}").status_code == 404


def test_a_refusal_is_a_typed_error(levels: Any, models: Any, written_with_it: Any, live_api: Api):
    product = new_product(live_api, "prod_generated_refused")
    wanted = models.LevelRequest(
        product_master_id=product, location_id="loc_123", min_quantity=5, reorder_quantity=4
    )
    with pytest.raises(written_with_it.Refused) as refused:
        levels.save(wanted)
    error = refused.value.error
    assert (refused.value.status, error.code) == (400, "INVALID_QUANTITIES")
    assert error.error == "Invalid quantities: min ≤ reorder ≤ max required"
    assert error.details["reorderQuantity"] == ["must not be below min (5)"]

    _, level = levels.save(models.LevelRequest(product_master_id=product, location_id="loc_123"))
    _, etag = levels.read(level.id)
    levels.change(level.id, models.PatchedLevelRequest(min_quantity=1), etag)
    with pytest.raises(written_with_it.Refused) as refused:
        levels.change(level.id, models.PatchedLevelRequest(min_quantity=2), etag)
    assert (refused.value.status, refused.value.error.code) == (412, "PRECONDITION_FAILED")
    assert levels.read(level.id)[0].min_quantity == 1

    with pytest.raises(written_with_it.Refused) as refused:
        levels.delete("level_none")
    assert (refused.value.status, refused.value.error.code) == (404, "NOT_FOUND")


def test_it_lists_in_pages_walks_with_a_cursor_and_follows_changes(
    levels: Any, models: Any, live_api: Api
):
    product = new_product(live_api, "prod_generated_list")
    places = [new_location(live_api, f"loc_generated_{number}") for number in range(5)]
    wanted = [
        models.LevelRequest(product_master_id=product, location_id=place, min_quantity=number)
        for number, place in enumerate([*places, "loc_generated_none"])
    ]
    answer = levels.save_many(wanted)
    assert (answer.created, answer.failed) == (5, 1)
    assert [result.outcome for result in answer.results[4:]] == [
        models.BulkOutcome.CREATED,
        models.BulkOutcome.FAILED,
    ]
    assert answer.results[5].error == "Product or location not found"

    page = levels.page(product, page=2, limit=2)
    assert [level.location_id for level in page.items] == [places[2], places[1]]
    pagination = page.pagination
    assert (pagination.page, pagination.total, pagination.total_pages) == (2, 5, 3)

    assert [level.min_quantity for level in levels.walk(product, limit=2)] == [0, 1, 2, 3, 4]

    _, until = levels.changes(datetime(2026, 1, 1, tzinfo=UTC))
    gone = answer.results[0].id
    levels.delete(gone)
    newest = levels.changes(until)[0][0]
    assert (newest.action, newest.level_id) == (models.ChangeAction.DELETE, gone)
    assert newest.source is models.ChangeSource.API
    assert (newest.changes["minQuantity"].old, newest.changes["minQuantity"].new) == (0, None)
