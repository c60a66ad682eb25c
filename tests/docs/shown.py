"""Documents whose examples are run: what a reader types, and the answer shown right below it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo import Demo
from tests.live import ROOT

ADDRESS = "http://127.0.0.1:8000"  # where script/server is, and so the documents' examples
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
MARK = "@@ the end of an example"
STAND_IN = Path(__file__).with_name("curl.py")

# What differs each time. Everything else is compared as it stands.
VOLATILE = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "<time>"),
    (r"\b(level|key)_[0-9a-z]{26}\b", r"\1_<id>"),
    (r'("nextCursor": ?)"[^"]+"', r'\1"<cursor>"'),
]


@dataclass(frozen=True)
class Example:
    """Lines of shell, the answer as the document shows it ("" for none), and its language."""

    line: int
    command: str
    language: str
    answer: str
    prose: str

    def __str__(self) -> str:
        return f"line {self.line}"


@dataclass(frozen=True)
class Document:
    examples: list[Example]
    programs: dict[str, str]


def read(name: str) -> Document:
    """The examples of a document. A Python block names its file in a comment on its first line."""
    text = (ROOT / name).read_text()
    examples: list[Example] = []
    programs: dict[str, str] = {}
    blocks = list(BLOCK.finditer(text))
    ends = [block.start() for block in blocks[1:]] + [len(text)]
    for number, (block, end) in enumerate(zip(blocks, ends, strict=True)):
        language, content = block.groups()
        prose = text[block.end() : end]
        if language == "python":
            programs[content.removeprefix("# ").partition(":")[0]] = content
        if language != "bash":
            continue
        answer = ("", "")
        if not prose.strip() and number + 1 < len(blocks):
            answer = blocks[number + 1].group(1, 2)
        line = text.count("\n", 0, block.start()) + 1
        language, shown = answer if answer[0] in ("json", "http", "text") else ("", "")
        examples.append(Example(line, content, language, shown, prose))
    return Document(examples, programs)


def run(examples: list[Example], demo: Demo) -> list[str]:
    """What each example prints, run one after the other in one shell as a reader would."""
    script = "set -eu\n" + "".join(
        f"{example.command.replace(ADDRESS, demo.address)}\nprintf '\\n{MARK}\\n'\n"
        for example in examples
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=demo.folder,
        env={
            **os.environ,
            "PATH": f"{commands(demo.folder)}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",  # lines in the order in which a terminal shows them
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,  # so that all lines end alike, those of HTTP too
        timeout=120,
    )
    printed = done.stdout.split(f"\n{MARK}\n")
    assert done.returncode == 0, f"{examples[len(printed) - 1]}: {done.stderr}"
    return printed[:-1]


def commands(folder: Path) -> Path:
    """A folder for the PATH: python3 is this one, and curl is there even where it is missing."""
    commands = folder / "commands"
    commands.mkdir(exist_ok=True)
    write_command(commands / "python3", sys.executable)
    if shutil.which("curl") is None:
        write_command(commands / "curl", sys.executable, str(STAND_IN))
    return commands


def write_command(file: Path, *command: str) -> None:
    file.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    file.chmod(0o755)


def steady(text: str) -> str:
    """The text without what differs each time."""
    for pattern, instead in VOLATILE:
        text = re.sub(pattern, instead, text)
    return text


def exact(text: str) -> Any:
    """The JSON value with its numbers as they are spelled: 50 is not 50.0, nor "50"."""
    return json.loads(text, parse_int=Number, parse_float=Number)


@dataclass(frozen=True)
class Number:
    spelled: str


def compare(example: Example, printed: str) -> None:
    """Assert that the document shows what was printed."""
    shown, printed = steady(example.answer), steady(printed)
    if example.language == "http":
        shown_head, _, shown = shown.partition("\n\n")
        head, _, printed = printed.partition("\n\n")
        status, *headers = shown_head.strip().split("\n")
        assert status == head.split("\n")[0]
        assert {*headers} <= {*head.split("\n")}
    if example.language == "text" or not (shown.strip() and printed.strip()):
        assert shown.strip() == printed.strip()
    else:
        assert exact(shown) == exact(printed)
