"""`spokehub verify` as somebody with an account runs it first: the whole way, the guesses, nothing left."""

import json
import os
import subprocess
import sys
from pathlib import Path

from services.verify.guesses import GUESSES


def test_verify_is_green_on_the_embedded_account(tmp_path: Path) -> None:
    written = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "verify", "--json", str(written)],
        env={**os.environ, "SPOKEHUB_DATA": str(tmp_path / "var")},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    found = json.loads(written.read_text())
    told = done.stdout + done.stderr
    assert [(step["step"], step["state"]) for step in found["steps"] if step["state"] != "succeeded"] == [], (
        told
    )
    states = {finding["guess"]: finding["state"] for finding in found["findings"]}
    assert states == {guess.id: "held" for guess in GUESSES}, told
    assert found["left"] == []
    assert found["green"]
    assert done.returncode == 0
    assert "Everything that was made has been removed." in done.stdout
    assert not (tmp_path / "var").exists(), "a verification of the embedded account has data of its own"
