"""The bundle: what is in it, and that the same content gives the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import spoke_kit
from spoke_kit import bundle

PUDO = Path(spoke_kit.__file__).parents[1] / "spokes" / "pudo"


def copy_of_pudo(folder: Path) -> Path:
    return Path(shutil.copytree(PUDO, folder / "pudo", ignore=shutil.ignore_patterns("__pycache__")))


def test_same_content_same_bytes_and_other_content_other_name(tmp_path: Path) -> None:
    first = bundle.build(PUDO)
    copied = copy_of_pudo(tmp_path)
    assert bundle.build(copied) == first
    (copied / "sql" / "views.sql").write_text("-- none\n")
    changed = bundle.build(copied)
    assert changed.digest != first.digest
    assert changed.name != first.name


def test_content_is_the_spoke_and_the_kit(tmp_path: Path) -> None:
    copied = copy_of_pudo(tmp_path)
    for unwanted in ("__pycache__/x.py", "tests/test_x.py", ".env.yaml", "data.parquet"):
        (copied / unwanted).parent.mkdir(exist_ok=True)
        (copied / unwanted).write_text("")
    packed = bundle.build(copied)
    assert set(packed.files) == set(bundle.build(PUDO).files)
    assert {"pudo/spoke.yaml", "pudo/overlays/prod.yaml", "spoke_kit/tasks.py"} <= set(packed.files)
    with zipfile.ZipFile(BytesIO(packed.data)) as archive:
        assert archive.namelist() == sorted(packed.files)
        assert archive.read("pudo/spoke.yaml") == (copied / "spoke.yaml").read_bytes()


def test_runs_from_the_zip_alone(tmp_path: Path) -> None:
    """As in a worker of the account: the zip on the path, and nothing of the repository."""
    packed = bundle.build(PUDO)
    (tmp_path / packed.name).write_bytes(packed.data)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / packed.name)!r})\n"
        "kept = ('site-packages', 'lib/python', '.zip')\n"
        "sys.path[:] = [path for path in sys.path if any(part in path for part in kept)]\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in type(f).__module__ + repr(f)]\n"
        "import pudo.training.prepare_data as module\n"
        "from spoke_kit import manifest, tasks\n"
        "package = tasks.package_of(module.__name__)\n"
        "print(module.__file__, package, manifest.load_package(package, 'PROD').retention_days)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    file, package, days = done.stdout.split()
    assert file == str(tmp_path / packed.name / "pudo" / "training" / "prepare_data.py")
    assert (package, days) == ("pudo", "30")
