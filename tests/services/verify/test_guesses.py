"""What becomes of an answer, of a refusal and of an account that answers in another form."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.identifiers import QualifiedName
from services.snowflake.scope import Scope
from services.verify import report, service
from services.verify.guesses import GUESSES
from services.verify.place import Place
from services.verify.types import Cost, Finding, Guess, Report, Said, StepFinding, held, refuted
from spoke_kit.layout import Layout

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    folder = tmp_path_factory.mktemp("verified")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    source = ConnectionSource(AccountSettings(), account)
    yield source
    source.close()
    account.stop()


def guess(name: str, probe: "object", *, relied_on: bool = True) -> Guess:
    return Guess(name, f"{name} holds.", probe, relied_on=relied_on)  # type: ignore[arg-type]


def ask(source: ConnectionSource, *guesses: Guess, layout: Layout | None = None) -> Report:
    """A verification of these guesses alone."""
    hub = load_declaration()
    declared = replace(hub, layout=layout or hub.layout).apart(service.new_name())
    scope = Scope(declared, "pudo", "DEV")
    work = service.Verification(declared, source, None, lambda _spoke, _environment: scope, guesses)  # type: ignore[arg-type]
    return work.run(way=False)


def test_each_answer_becomes_a_finding_and_nothing_is_left(source: ConnectionSource) -> None:
    def refused(place: Place) -> Said:
        return held(str(place.rows("SELECT * FROM NOT_THERE")))

    def odd(place: Place) -> Said:
        return held(place.rows("SELECT 1 AS A")[0]["B"])

    found = ask(
        source,
        guess("good", lambda place: held(f"it says {place.value('SELECT 7')}")),
        guess("bad", lambda place: refuted("no")),
        guess("refused", refused),
        guess("odd", odd),
    )
    assert [(f.guess, f.state) for f in found.findings] == [
        ("good", "held"),
        ("bad", "refuted"),
        ("refused", "undecided"),
        ("odd", "undecided"),
    ]
    said = [f.said for f in found.findings]
    assert said[0] == "it says 7"
    assert said[2].startswith("002003 (42S02): Object 'NOT_THERE' does not exist")
    assert said[2].endswith("at: SELECT * FROM NOT_THERE")
    assert said[3] == "KeyError: 'B', after: SELECT 1 AS A"
    assert found.findings[0].statements == ("SELECT 7",)
    assert not found.green
    assert found.left == ()
    assert source.query(f"SHOW DATABASES LIKE '{found.database}'") == []
    assert source.query("SHOW WAREHOUSES LIKE 'SPOKEHUB_WH'") == []


def test_every_database_is_removed(source: ConnectionSource) -> None:
    def made(place: Place) -> Said:
        for name in place.scope.hub.databases:
            place.rows(f"CREATE DATABASE IF NOT EXISTS {name}")
        return held(" ".join(place.scope.hub.databases))

    layout = Layout(database="MLOPS_{ENV}", shared_database="MLOPS")
    found = ask(source, guess("made", made), layout=layout)
    name = found.database
    assert [one.said for one in found.findings] == [f"{name} {name}_DEV {name}_STAGING {name}_PROD"]
    assert source.query(f"SHOW DATABASES LIKE '{name}%'") == []
    assert found.left == ()


def test_a_refuted_guess_that_nobody_relies_on_is_green(source: ConnectionSource) -> None:
    assert ask(source, guess("idle", lambda place: refuted("no"), relied_on=False)).green


def test_a_warehouse_that_was_there_stays(source: ConnectionSource) -> None:
    source.query("CREATE WAREHOUSE SPOKEHUB_WH")
    ask(source, guess("good", lambda place: held("")))
    assert len(source.query("SHOW WAREHOUSES LIKE 'SPOKEHUB_WH'")) == 1
    source.query("DROP WAREHOUSE SPOKEHUB_WH")


def test_what_a_killed_verification_left_is_found_and_removed(source: ConnectionSource) -> None:
    name = service.new_name()
    for statement in (
        f"CREATE DATABASE {name}",
        f"CREATE DATABASE {name}_DEV",
        f"CREATE ROLE {name}_ADMIN",
        f"CREATE ROLE {name}_PUDO_DEV_OWNER",
        "CREATE ROLE SPOKEHUB_OTHER",
    ):
        source.query(statement)
    assert service.leftovers(source) == [name]
    assert service.remove(source, name) == ()
    assert service.leftovers(source) == []
    assert [row["name"] for row in source.query("SHOW ROLES LIKE 'SPOKEHUB%'")] == ["SPOKEHUB_OTHER"]
    source.query("DROP ROLE SPOKEHUB_OTHER")


def test_nothing_without_a_warehouse_is_what_a_session_of_a_dropped_one_has(source: ConnectionSource) -> None:
    source.query("CREATE DATABASE PLACE_DB")
    declared = load_declaration().apart("PLACE_DB")
    scope = Scope(declared, "pudo", "DEV")
    place = Place(source, scope, QualifiedName("PUBLIC", "PLACE_DB"), "PLACE_WH", 0.1, 5.0)
    with place.without_warehouse() as connection:
        assert place.value("SELECT CURRENT_WAREHOUSE()", connection) is None
    assert source.query("SHOW WAREHOUSES LIKE 'PLACE_WH%'") == []
    place.close()
    source.query("DROP DATABASE PLACE_DB")


def sample() -> Report:
    steps = (
        StepFinding("hub", "Apply the hub", "succeeded", 1.25),
        StepFinding("seed", "Load", "failed", 2.0, "No room. Make some."),
        StepFinding("train", "Train", "skipped", 0.0),
    )
    findings = (
        Finding("a.b", "It is so.", "held", "yes", 0.1),
        Finding("a.c", "It is not.", "refuted", "no", 0.1, relied_on=False),
        Finding("a.d", "Who knows.", "undecided", "silence", 0.1),
    )
    return Report(
        "connection x", "10.1", "AWS_EU", "ADMIN", "SPOKEHUB_VERIFY_1", "2026-01-01T00:00:00Z", 61.2,
        steps, findings, Cost(120.0, 0.0333), False, ("DROP ROLE X: no",),
    )  # fmt: skip


def test_the_report_as_text() -> None:
    assert report.as_text(sample()) == (
        "connection x: Snowflake 10.1, region AWS_EU, role ADMIN\n"
        "\n"
        "The example's way\n"
        "  ok    Apply the hub (1.2 s)\n"
        "  FAIL  Load (2.0 s)\n"
        "        No room. Make some.\n"
        "  -     Train (0.0 s)\n"
        "\n"
        "Guesses about Snowflake\n"
        "  held  a.b: It is so.\n"
        "        yes\n"
        "  NOT   a.c: It is not.\n"
        "        no (Spokehub does not rely on it)\n"
        "  ?     a.d: Who knows.\n"
        "        silence\n"
        "\n"
        "1 of 3 steps; 1 guesses held, 1 refuted, 1 undecided\n"
        "61 s; at most 0.033 credits of an X-Small warehouse, if it ran from first to last and until it was"
        " suspended\n"
        "Not removed:\n"
        "  DROP ROLE X: no"
    )


def test_the_report_as_json_holds_every_field() -> None:
    found = json.loads(report.as_json(sample()))
    assert found["green"] is False
    assert found["steps"][1]["said"] == "No room. Make some."
    assert found["findings"][1] == {
        "guess": "a.c", "sentence": "It is not.", "state": "refuted", "said": "no", "seconds": 0.1,
        "relied_on": False, "statements": [],
    }  # fmt: skip


def test_every_guess_stands_in_the_documentation() -> None:
    """As the bullet ``- sentence `id` ``, so that a reader knows which ones an account can decide."""
    text = " ".join((ROOT / "docs" / "embedded_account.md").read_text("utf-8").split())
    known = {g.id: g.sentence for g in GUESSES}
    assert len(known) == len(GUESSES)
    told = {found[1]: found[0] for found in re.findall(r"- ((?:(?! - ).)+?) `([a-z]+\.[a-z_]+)`", text)}
    assert told == known
