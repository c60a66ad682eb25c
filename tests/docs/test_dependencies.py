"""Dependencies: pinned to the last file, each with a reason in the README and a known licence."""

from __future__ import annotations

import re

import pytest

from tests.live import ROOT

PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)(\[[a-z,-]+\])?==(\S+)(.*?)((?: \\\n    --hash=sha256:\w+)*)$", re.MULTILINE
)
NAMED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,-]+\])?==(\S+)$", re.MULTILINE)
PAIRS = [("requirements.in", "requirements.txt"), ("requirements-dev.in", "requirements-dev.txt")]


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("wanted, locked", PAIRS, ids=["product", "development"])
def test_what_is_wanted_is_locked_at_that_version_with_hashes(wanted, locked):
    pins = {name: (version, hashes) for name, _, version, _, hashes in PINNED.findall(text(locked))}
    names = dict(NAMED.findall(text(wanted)))
    assert len(names) > 10
    for name, version in names.items():
        assert pins[name][0] == version
    assert [name for name, (_, hashes) in pins.items() if "--hash=sha256:" not in hashes] == []


def test_development_runs_on_what_the_product_runs_on():
    product, development = (
        {name: version for name, _, version, _, _ in PINNED.findall(text(locked))}
        for _, locked in PAIRS
    )
    assert product.items() <= development.items()


@pytest.mark.parametrize("name", [n for wanted, _ in PAIRS for n, _ in NAMED.findall(text(wanted))])
def test_the_readme_says_what_it_saves(name):
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text("README.md"), re.MULTILINE)
    assert name in {package for row in rows for package in row.split(", ")}


def test_every_package_of_the_product_has_a_licence():
    pinned = PINNED.findall(text("requirements.txt"))
    # What only some systems or versions of Python need isn't installed to be asked.
    everywhere = {canonical(name) for name, _, _, marker, _ in pinned if not marker.strip()}
    rows = re.findall(r"^\| (\S+) +\| \S+ +\| (\S.*?) +\|", text("docs/licences.md"), re.MULTILINE)
    licences = {canonical(name): licence for name, licence in rows}
    assert everywhere - licences.keys() == set()
    assert [name for name in everywhere if licences[name] == "UNKNOWN"] == []


def canonical(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
