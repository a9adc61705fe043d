"""./brokers in the folder of a lab: see runner/own_cluster.py."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from runner.environment import forget_settings  # noqa: E402  (needs the path above)
from runner.own_cluster import main  # noqa: E402

if __name__ == "__main__":
    forget_settings()
    sys.exit(main(sys.argv[1:]))
