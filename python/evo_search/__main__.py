"""`python -m evo_search`, and the script `evo`: the command line.

Its interrupts are the engine's: the first one ends a run in good order, the second at once.
"""

import sys

from evo_search._engine import main


def console() -> None:
    """Ends the process with the exit code of the command line."""
    sys.exit(main())


if __name__ == "__main__":
    console()
