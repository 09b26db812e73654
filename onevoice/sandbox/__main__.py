"""`python -m onevoice.sandbox`: the same as `onevoice sandbox up`, with nothing else of ours loaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from onevoice.sandbox.main import up
from onevoice.sandbox.state import FAULT_NAMES


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m onevoice.sandbox", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--limits", choices=("on", "off"), default="on")
    parser.add_argument("--faults", choices=FAULT_NAMES, default="none")
    parser.add_argument("--state", type=Path)
    said = parser.parse_args()
    up(said.seed, said.people, said.limits == "on", said.faults, said.state)


if __name__ == "__main__":
    main()
