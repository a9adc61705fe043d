"""The web console that `./run demo --keep` leaves running beside the local cluster."""

import pathlib
import re
import time

from background_process import BackgroundProcess
from ports import ClusterError, in_use

PORTS = range(8080, 8096)  # The first that is free.
START_TIMEOUT = 30.0       # Seconds.


class LocalConsole(BackgroundProcess):
    """`shopstream console`; its folder has its log."""

    def __init__(self, folder: pathlib.Path):
        super().__init__("console", folder)

    @property
    def url(self) -> str | None:
        """None while it does not serve."""
        if not self.running():
            return None
        found = re.search(r"console: open (\S+)", self.output.read_text(errors="replace"))
        return found[1] if found else None

    def serve(self, binary: pathlib.Path, environment: dict[str, str], cwd: pathlib.Path) -> str:
        """Starts it again if it runs already, because it may show another lake. Returns its address."""
        self.kill()
        port = next((port for port in PORTS if not in_use(port)), None)
        if port is None:
            raise ClusterError(f"no port from {PORTS[0]} to {PORTS[-1]} is free for the console: stop a program there")
        self.start([str(binary), "console", "--set", f"console.listen=127.0.0.1:{port}"], environment, cwd)
        deadline = time.monotonic() + START_TIMEOUT
        while (url := self.url) is None:
            if not self.running() or time.monotonic() >= deadline:
                raise ClusterError(f"the console does not serve; its log {self.output} ends with\n{self.last_output()}")
            time.sleep(0.05)
        return url
