"""The console's server: what it sends, whom it lets in, its live streams and its log of changes."""

import contextlib
import http.client
import json
import re
import socket
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from console_pages import filled_world, permission, start_console
from places import ROOT
from shopstream import Shopstream
from cluster import Cluster
from waiting import wait_until

KIB = 1024
TOKEN = "a-token-that-is-long-enough"
STREAMS = 200


class Console:
    """A running `shopstream console`, and plain HTTP to it."""

    def __init__(self, world: Shopstream, **settings: str):
        self.running, url = start_console(world, **{"SHOPSTREAM_OBSERVE_INTERVAL_MS": "1000", **settings})
        self.port = urllib.parse.urlsplit(url).port

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The status, the headers in lower case, and the body as it is sent."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def get(self, path: str, **headers: str) -> Any:
        status, _, body = self.ask("GET", path, **headers)
        assert status == 200, body
        return json.loads(body)

    def status(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        return self.ask(method, path, body, **headers)[0]

    def stream(self, query: str, **headers: str) -> "Stream":
        return Stream(self.port, query, headers)


class Stream:
    """A browser's event stream."""

    def __init__(self, port: int, query: str, headers: dict[str, str]):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        lines = [f"GET /api/stream?{query} HTTP/1.1", "Host: localhost", *(f"{k}: {v}" for k, v in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.text = ""

    def read_to(self, words: str) -> str:
        while words not in self.text:
            received = self.socket.recv(65536)
            assert received, f"closed after {self.text[-500:]}"
            self.text += received.decode()
        return self.text

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(scope="module")
def world(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopstream]:
    with filled_world(session_cluster, tmp_path_factory.mktemp("console"), "console-server", 1000, seed=3) as started:
        yield started


@pytest.fixture(scope="module")
def console(world: Shopstream) -> Console:
    return Console(world, **permission(world, TOKEN))


def assets(console: Console) -> dict[str, str]:
    """The addresses of the page's modules, by their names, from its import map."""
    page = console.ask("GET", "/")[2].decode()
    found = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert found, page
    return json.loads(found[1])["imports"]


def test_the_page_is_locked_down(console: Console) -> None:
    for path in ("/", "/kafka/topics/any%20topic?q=1"):
        status, headers, body = console.ask("GET", path)
        assert status == 200 and b"<!doctype html>" in body
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; ") and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    for path in ("/api/overview", "/api/nothing", "/assets/nothing.js"):
        headers = console.ask("GET", path)[1]
        assert headers["x-content-type-options"] == "nosniff" and "default-src" in headers["content-security-policy"]
    assert not re.search(rb"https?://(?!www\.w3\.org)", console.ask("GET", "/")[2])


def test_the_documented_routes_are_those_that_exist(console: Console) -> None:
    rows = re.findall(r"^\| (GET|POST) \| `(\S+)` \| (.*?)(; \*\*a change\*\*)? \|", (ROOT / "docs/console-api.md").read_text(),
                      re.MULTILINE)
    listed = console.get("/api")["routes"]
    assert sorted(rows) == sorted((route["method"], route["path"], route["meaning"], "; **a change**" if route["changes"] else "")
                                  for route in listed)


def test_a_browser_keeps_what_cannot_change(console: Console) -> None:
    address = assets(console)["/assets/app.js"]
    headers = console.ask("GET", address)[1]
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    headers = console.ask("GET", "/")[1]
    assert headers["cache-control"] == "no-cache"
    status, _, body = console.ask("GET", "/", If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")
    for coding in ("br", "gzip"):
        headers = console.ask("GET", address, Accept_Encoding=coding)[1]
        assert headers["content-encoding"] == coding and headers["vary"] == "Accept-Encoding"
    assert console.status("GET", "/assets/stream_worker.js") == 200  # A worker has no import map.


def imports_of(console: Console, name: str, imports: dict[str, str]) -> set[str]:
    """The modules that a module loads with itself, by name."""
    found, wanted = set(), [name]
    while wanted:
        module = wanted.pop()
        if module in found:
            continue
        found.add(module)
        text = console.ask("GET", module)[2].decode()
        for imported in re.findall(r'(?:from|import)\s*"([^"]+)"', text):
            whole = "/assets/vendor/preact.js" if imported == "preact" else urllib.parse.urljoin(module, imported)
            assert whole in imports, f"{module} imports {imported}"
            wanted.append(whole)
    return found


@pytest.mark.parametrize("page, most", [("overview", 80 * KIB), ("sql", 220 * KIB)])
def test_a_page_fits_its_budget(console: Console, page: str, most: int) -> None:
    imports = assets(console)
    name = f"/assets/pages/{page}.js"
    if name not in imports:
        pytest.skip(f"there is no page {page} yet")
    modules = imports_of(console, "/assets/app.js", imports) | imports_of(console, name, imports)
    late = {"sql": {"/assets/vendor/codemirror.js"}, "overview": {"/assets/vendor/uplot.js"}}[page]
    html = console.ask("GET", "/")[2].decode()
    linked = re.findall(r'href="(/assets/[^"]+)"', html)
    addresses = ["/", *linked, *(imports[module] for module in modules | late)]
    sizes = {a: len(console.ask("GET", a, Accept_Encoding="gzip")[2]) for a in addresses}
    assert sum(sizes.values()) <= most, sizes


def test_attacks_through_a_browser_are_refused(console: Console) -> None:
    assert console.status("GET", "/api/overview", Host="evil.example") == 421
    assert console.status("GET", "/", Host="localhost.evil.example:8080") == 421
    assert console.status("GET", "/api/overview", Host=f"localhost:{console.port}") == 200
    assert console.status("GET", "/api/overview", Sec_Fetch_Site="cross-site") == 403
    assert console.status("POST", "/api/session", {"token": TOKEN}, Origin="https://evil.example") == 403
    assert console.status("POST", "/api/session", {"token": TOKEN}, Content_Type="text/plain") == 415
    for path in ("/assets/../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/etc/passwd"):
        status, _, body = console.ask("GET", path)
        assert status == 400 and b"root:" not in body, path
    assert console.status("POST", "/api/session", {"token": "x" * (5 << 20)}) == 413


def test_a_change_needs_the_token_and_leaves_a_trace(console: Console, world: Shopstream) -> None:
    path, body = f"/api/topics/{world.topic}/records", {"value": "plain text", "key": "k"}
    assert console.status("POST", path, body) == 403
    status, headers, _ = console.ask("POST", "/api/session", {"token": "wrong" * 5})
    assert status == 403 and "set-cookie" not in headers
    status, headers, _ = console.ask("POST", "/api/session", {"token": TOKEN})
    cookie = headers["set-cookie"]
    assert status == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    session = cookie.partition(";")[0]
    assert console.get("/api/about", Cookie=session)["signed_in_as"] == "token"
    assert console.get("/api/about")["signed_in_as"] is None
    # Signed in, the request reaches the handler, which finds its own faults.
    assert console.status("POST", path, {"nonsense": 1}, Cookie=session) == 400
    newest = console.get("/api/changes")["changes"]
    assert [(change["who"], bool(change["error"])) for change in newest[:3]] == [("token", True), ("", True), ("", True)]
    assert newest[0]["from"] == "127.0.0.1" and TOKEN not in json.dumps(newest)
    console.ask("POST", "/api/session/end", {}, Cookie=session)
    assert console.status("POST", path, body, Cookie=session) == 403
    lines = (world.folder / "changes.jsonl").read_text().splitlines()
    assert len(lines) == len(console.get("/api/changes")["changes"])


def test_without_a_runner_labs_are_on_a_terminal(console: Console) -> None:
    for path in ("/api/labs", "/api/labs/1", "/api/labs/1/state"):
        answer = console.get(path)
        assert answer["exists"] is False and answer["remedy"] == "./run lab" and "console.labs_command" in answer["reason"]
    status, _, body = console.ask("POST", "/api/labs/1/start", {}, Authorization=f"Bearer {TOKEN}")
    assert status == 400 and b"console.labs_command is empty" in body
    for number in ("0", "100", "-1", "1;id", "%2D%2Dhelp"):
        assert console.status("GET", f"/api/labs/{number}") == 400


def test_two_hundred_browsers_follow_and_others_are_served(console: Console) -> None:
    streams = [console.stream("channels=overview") for _ in range(STREAMS)]
    try:
        for stream in streams:
            stream.read_to("event: overview")
        assert console.status("GET", "/api/overview") == 200
        status, _, body = console.ask("GET", "/api/stream?channels=overview")
        assert status == 503 and b"200 live streams" in body
    finally:
        for stream in streams:
            stream.close()
    wait_until(lambda: refused_or_read(console), 20, "the server has noticed that they are gone")


def refused_or_read(console: Console) -> bool:
    stream = console.stream("channels=overview")
    with contextlib.closing(stream.socket):
        return " 200 " in stream.read_to("\r\n")


def test_a_stream_resumes_after_its_last_event(console: Console) -> None:
    first = console.stream("channels=overview,topics")
    text = first.read_to("event: topics")
    first.read_to("event: overview")
    first.close()
    last = max(int(number) for number in re.findall(r"^id: (\d+)", text, re.MULTILINE))
    second = console.stream("channels=overview", **{"Last-Event-ID": str(last)})
    later = [int(n) for n in re.findall(r"^id: (\d+)", second.read_to("event: overview"), re.MULTILINE)]
    second.close()
    assert min(later) > last
    assert console.status("GET", "/api/stream?channels=secrets") == 400


def test_the_overview_shows_the_pipeline(console: Console, world: Shopstream) -> None:
    parts = {"registry", "lake", "ingest", "refine", "cluster"}

    def complete() -> Any:
        found = console.get("/api/overview")
        checked = parts <= {part["component"] for part in found["health"]}
        seen = found["commits"] and found["revenue"]["hours"] and found["lag"]["records"] == 0
        return found if checked and seen else None

    overview = wait_until(complete, 30, "everything was seen")
    bronze, silver, gold = (overview["tables"][name] for name in ("bronze", "silver", "gold"))
    quarantined = sum(overview["tables"]["quarantine"]["rows_by_cause"].values())
    assert bronze["rows"] + quarantined == 1000 and silver["rows"] > 0 and gold["tables"] == 4
    assert overview["brokers"]["up"] == 3 and len(overview["partitions"]) == 3 and overview["topic_exists"]
    orders = sum(sum(hour["orders"].values()) for hour in overview["revenue"]["hours"])
    assert 0 < orders <= silver["rows"] and overview["revenue"]["currency"] == "USD"
    assert all(part["state"] != "down" or part["remedy"] for part in overview["health"])
    taken = [commit["detail"] for commit in overview["commits"] if commit["table"] == "bronze-events"]
    assert any(re.search(r"p\d (to |[\d,]+–)[\d,]+", detail) for detail in taken), overview["commits"]


def test_users_have_roles(world: Shopstream) -> None:
    users = world.folder / "users"
    # `openssl passwd -5 -salt saltsalt secret`
    hashed = "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"
    users.write_text(f"ann:{hashed}:reader\nbob:{hashed}:writer\n")
    console = Console(world, SHOPSTREAM_CONSOLE_ALLOW_CHANGES="true", SHOPSTREAM_CONSOLE_USERS=str(users),
                      SHOPSTREAM_CONSOLE_CHANGE_LOG=str(world.folder / "changes-of-users.jsonl"))
    assert console.status("GET", "/") == 200 and console.status("GET", "/livez") == 200
    assert console.status("GET", "/api/overview") == 401 and console.status("GET", "/metrics") == 401
    assert console.status("GET", "/api/stream?channels=overview") == 401
    sessions = {}
    for name in ("ann", "bob"):
        status, headers, _ = console.ask("POST", "/api/session", {"user": name, "password": "secret"})
        assert status == 200
        sessions[name] = headers["set-cookie"].partition(";")[0]
        assert console.status("GET", "/api/overview", Cookie=sessions[name]) == 200
    path = f"/api/topics/{world.topic}/records"
    assert console.status("POST", path, {"nonsense": 1}, Cookie=sessions["ann"]) == 403
    assert console.status("POST", path, {"nonsense": 1}, Cookie=sessions["bob"]) == 400


def test_it_starts_before_kafka_the_registry_and_the_lake(world: Shopstream) -> None:
    lake = world.folder / "later"
    console = Console(world, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:1",
                      SHOPSTREAM_LAKE_URI=str(lake), SHOPSTREAM_CONSOLE_CHANGE_LOG=str(world.folder / "changes-early.jsonl"))
    down = wait_until(lambda: [part for part in console.get("/api/overview")["health"] if part["state"] == "down"], 30,
                      "it says what is missing")
    assert all(part["reason"] for part in down)
    assert console.get("/api/overview")["tables"]["bronze"]["exists"] is False
    lake.symlink_to(world.lake)
    wait_until(lambda: console.get("/api/overview")["tables"]["bronze"]["exists"], 30, "it has seen the lake")


def test_wrong_settings_are_refused_with_the_remedy(world: Shopstream) -> None:
    done = world.run("console", expect=1, SHOPSTREAM_CONSOLE_LISTEN="127.0.0.1:0", SHOPSTREAM_CONSOLE_ALLOW_CHANGES="true")
    assert "console.token_file" in done.stderr and "openssl rand -hex 32" in done.stderr


def test_the_libraries_are_those_of_the_list(console: Console) -> None:
    listed = [line.split()[1] for line in (ROOT / "src/console/vendor/packages.txt").read_text().splitlines()]
    shown = [f"{part['name']}@{part['version']}" for part in console.get("/api/about")["licences"]]
    assert shown == [name for name in listed if not name.startswith("@esbuild/")]
    assert all("Copyright" in part["text"] or "License" in part["text"] for part in console.get("/api/about")["licences"])
