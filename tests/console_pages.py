"""A console with a browser: what tests of its pages share."""

import contextlib
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from cluster import Cluster
from places import DEPS, ROOT
from shopstream import Running, Shopstream, shopstream_world
from waiting import wait_until

AXE = DEPS / "axe/axe.min.js"
expect.set_options(timeout=20_000)  # The machine may run other tests.
WIDE, PHONE, ZOOMED = (1280, 900), (360, 780), (640, 450)  # The last is a 1280 px screen at 200 %.


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


def start_console(world: Shopstream, **settings: str) -> tuple[Running, str]:
    """The process, and the address of its first page without the last slash."""
    running = world.start("console", **{"SHOPSTREAM_CONSOLE_LISTEN": "127.0.0.1:0",
                                        "SHOPSTREAM_CONSOLE_CHANGE_LOG": str(world.folder / "changes.jsonl"), **settings})
    found = wait_until(lambda: re.search(r"open (http://\S+)/ ", running.errors.read_text()), 30, "the console serves")
    return running, found[1]


def permission(world: Shopstream, token: str) -> dict[str, str]:
    """The settings that let a user with this token change things."""
    file = world.folder / "token"
    file.write_text(token)
    file.chmod(0o600)
    return {"SHOPSTREAM_CONSOLE_ALLOW_CHANGES": "true", "SHOPSTREAM_CONSOLE_TOKEN_FILE": str(file)}


def labs(world: Shopstream) -> dict[str, str]:
    """The setting that lets a console run labs on the tests' cluster; their student's folder is `world.folder`/labs."""
    script = world.folder / "labs.py"
    script.write_text(f"""import pathlib, sys
sys.path[:0] = ["{ROOT}/labs", "{ROOT}/scripts"]
from cluster import cluster_of
from ports import Asked
from runner import answers
cluster = cluster_of(Asked(), pathlib.Path("{world.cluster.directory}"), lambda _: None)
cluster.binary = pathlib.Path("{world.cluster.binary}")
sys.exit(answers.main(sys.argv[2:], cluster, pathlib.Path("{world.folder}/labs")))
""")
    return {"SHOPSTREAM_CONSOLE_LABS_COMMAND": f"{sys.executable},{script}"}


@contextlib.contextmanager
def filled_world(cluster: Cluster, folder: pathlib.Path, name: str, count: int, seed: int) -> Iterator[Shopstream]:
    """A topic with `count` purchases, some of them malformed, and a lake with all three layers."""
    cluster.start_brokers()
    cluster.start_registry()
    with shopstream_world(cluster, folder, name) as started:
        started.run("topics", "setup")
        started.run("schema", "register")
        started.run("generate", "--count", count, "--seed", seed, "--malformed-share", 0.02)
        started.run("ingest", "--until-caught-up")
        started.run("refine", SHOPSTREAM_REFINE_STATE_FOLDER=str(started.folder / "state"))
        yield started


class Visit:
    """One page of the console in a browser window, with what went wrong in it."""

    def __init__(self, browser: Browser, address: str, size: tuple[int, int] = WIDE, scheme: str = "light",
                 token: str | None = None):
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme,
                                           reduced_motion="reduce", accept_downloads=True)
        self.address = address
        self.problems: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def open(self, path: str) -> Page:
        """Returns once the page is drawn and nothing is loading."""
        self.page.goto(self.address + path)
        self.drawn()
        return self.page

    def drawn(self) -> None:
        self.page.wait_for_selector("main h1", state="attached")
        self.page.wait_for_selector("main .loading[role=status]", state="detached")

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def barriers(self) -> list[str]:
        """What axe finds that keeps people from using the page."""
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{rule['impact']}: {rule['id']}: {rule['help']}: {[node['html'][:160] for node in rule['nodes'][:3]]}"
                for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
