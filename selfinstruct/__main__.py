"""``python -m selfinstruct``: the same as the ``selfinstruct`` command."""

import sys

from selfinstruct.cli import main

if __name__ == "__main__":
    sys.exit(main())
