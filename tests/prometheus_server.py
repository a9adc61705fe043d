"""The real Prometheus in a test, with the rules of deploy/prometheus and short durations."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import render_prometheus
from background_process import BackgroundProcess
from probes import get
from waiting import wait_until

# Scrapes every second; every alert fires after 5 s. A condition that is a rate looks back 10 s. Two
# thresholds are out of reach: Kafka moves leaders back only every five minutes, and a busy machine is slow.
QUICK: Mapping[str, Any] = {
    **render_prometheus.shipped(), "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s",
    "brief": "5s", "steady": "5s", "long": "5s", "idle": "5s", "window": "10s", "recently": "10s",
    "lag_seconds": 5, "sample_age_seconds": 20, "leader_ratio": 2, "delivery_seconds": 1000, "commit_seconds": 1000,
}


class Prometheus:
    def __init__(self, folder: pathlib.Path, port: int, parameters: Mapping[str, Any]):
        self.url = f"http://127.0.0.1:{port}"
        self._parameters = parameters
        self._folder = folder
        self._process = BackgroundProcess("prometheus", folder)

    def start(self) -> None:
        self._folder.mkdir()
        for name in render_prometheus.RENDERED:
            (self._folder / name).write_text(render_prometheus.render(name, self._parameters))
        program = shutil.which("prometheus")
        assert program, "the package `prometheus` is not installed: ./run setup --tests"
        self._process.start([program, f"--config.file={self._folder / 'prometheus.yml'}",
                             f"--storage.tsdb.path={self._folder / 'data'}",
                             f"--web.listen-address={self.url.removeprefix('http://')}"])
        wait_until(self._serves, 30, f"Prometheus serves: {self._process.last_output()}")

    def _serves(self) -> bool:
        assert self._process.running(), self._process.last_output()
        try:
            return get(f"{self.url}/-/ready")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        self._process.kill()

    def ask(self, path: str, **parameters: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of an instant query by their labels."""
        found = self.ask("query", query=expression)["result"]
        return {tuple(sorted(series["metric"].items())): float(series["value"][1]) for series in found}

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire now, with their annotations."""
        return [alert for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]

    def firing(self) -> set[str]:
        """Their names."""
        return {alert["labels"]["alertname"] for alert in self.alerts()}

    def fired_since(self, seconds: float) -> set[str]:
        """The names of the alerts that have fired within this time."""
        found = self.query(f'count by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{int(seconds) + 1}s]))')
        return {dict(labels)["alertname"] for labels in found}


@contextlib.contextmanager
def prometheus_server(folder: pathlib.Path, port: int, parameters: Mapping[str, Any]) -> Iterator[Prometheus]:
    server = Prometheus(folder, port, parameters)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def promtool(*arguments: object) -> None:
    """Fails unless promtool is content."""
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"promtool {arguments}\n{done.stdout}{done.stderr}"
