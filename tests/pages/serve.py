"""Serve the pages over the sample: ``python tests/pages/serve.py PORT [option=value …]`` (see ``sample.sample``)."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).parent))

from sample import sample
from sample_application import application


def main() -> None:
    """Serve until interrupted."""
    options = dict(pair.split("=", 1) for pair in sys.argv[2:])
    uvicorn.run(application(sample(options)), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
