"""Every test that the page of guarantees names as a proof is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "guarantees.md").read_text("utf-8")
PROOFS = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def test_proofs_are_named() -> None:
    assert len(PROOFS) > 10


@pytest.mark.parametrize(("file", "name"), PROOFS, ids=str)
def test_each_proof_is_there(file: str, name: str) -> None:
    text = (TESTS / file).read_text("utf-8")
    assert re.search(rf"^\s*(async )?def {name}\(", text, re.MULTILINE), f"{file} has no {name}"
