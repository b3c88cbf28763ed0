"""One address, a page or a part of it."""

from __future__ import annotations

import pytest
from html_document import parse

HX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/", "live"),
        ("/operations", "live"),
        ("/operations/op-setup", "live"),
        ("/simulation", "live"),
        ("/spokes/pudo/graphs", "live"),
        ("/spokes/pudo/predictions?key=PUDO_0003", "entity"),
    ],
)
def test_the_target_names_the_block(client, address, target):
    response = client.get(address, headers={**HX, "HX-Target": f"div#{target}"})
    assert response.headers["vary"] == "HX-Request, HX-Target"
    block = parse(response.text)
    assert [node.attributes.get("id") for node in block.children] == [target]
    whole = parse(client.get(address).text).one(id=target)
    assert block.children[0].tag == whole.tag
    assert len(block.children[0].all()) == len(whole.all())


def test_a_restored_history_entry_is_a_whole_page(client):
    headers = {**HX, "HX-Target": "div#live", "HX-History-Restore-Request": "true"}
    assert client.get("/operations", headers=headers).text.startswith("<!doctype html>")


def test_an_unknown_target_is_a_whole_page(client):
    assert client.get("/", headers={**HX, "HX-Target": "div#elsewhere"}).text.startswith("<!doctype html>")


def test_running_operation_is_a_part_of_its_own(client):
    response = client.get("/operations/running", headers={**HX, "HX-Target": "div#running"})
    assert response.text.strip() == ""
