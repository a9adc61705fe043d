"""./run lab: see runner/commands.py, and runner/answers.py for --json."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from runner import answers, commands  # noqa: E402  (needs the path above)
from runner.environment import forget_settings  # noqa: E402

if __name__ == "__main__":
    forget_settings()
    words = sys.argv[1:]
    sys.exit(answers.main(words[1:]) if words[:1] == ["--json"] else commands.main(words))
