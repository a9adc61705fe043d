"""Small files as people have them: each with a mapping, and some with a second one that names what is special."""

import datetime
import pathlib
from collections.abc import Iterable

import pyarrow
import pyarrow.parquet

COLUMNS = ["cust", "sku", "qty", "price", "at", "title"]
MAPPING = """file: {file}
{above}
event:
  event_id: {{uuid5: "own/{{cust}}/{{at}}", namespace: 6ba7b811-9dad-11d1-80b4-00c04fd430c8}}
  user_id: {{column: cust{user}}}
  region: {{value: EU}}
  product_id: {{column: sku}}
  product_name: {{column: title}}
  quantity: {{column: qty}}
  amount: {{column: price{price}}}
  currency: {{value: EUR}}
  timestamp: {{column: at{time}}}
"""


def row(i: int, at: str = "2024-03-01 12:00:00", cust: str | None = None, price: str = "2.5",
        title: str = "Mug") -> list[str]:
    return [str(1000 + i) if cust is None else cust, f"P{i % 7}", "1", price, at, title]


def make_cases(folder: pathlib.Path) -> None:
    def mapping(file: str, variant: str = "", **settings: str) -> None:
        rules = {"above": "", "user": "", "price": "", "time": "", **settings}
        (folder / f"{file.replace('.', '-')}{variant}.yaml").write_text(MAPPING.format(file=file, **rules))

    def csv(file: str, rows: Iterable[list[str]], encoding: str = "utf-8", separator: str = ",",
            **settings: str) -> None:
        lines = "".join(separator.join(values) + "\n" for values in [COLUMNS, *rows])
        (folder / file).write_bytes(lines.encode(encoding))
        mapping(file, **settings)

    times = [f"2024-03-{1 + i:02d}T12:00:00" for i in range(20)]
    pyarrow.parquet.write_table(
        pyarrow.table({"cust": list(range(1000, 1020)), "sku": ["P1"] * 20, "qty": [1] * 20, "price": [2.5] * 20,
                       "at": pyarrow.array(times, pyarrow.large_string()), "title": ["Mug"] * 20}),
        folder / "r1-large-string.parquet")
    mapping("r1-large-string.parquet")
    # Line breaks in quotes, also where a block of 4 MiB ends.
    csv("r2-newlines.csv", (row(i, title=f'"Gift box\nwith card {"x" * 60}"') for i in range(150_000)))
    csv("r3-latin1.csv", [row(i, title="Caf\xe9 cr\xe8me") for i in range(20)], "latin-1")
    mapping("r3-latin1.csv", "-encoding", above="csv: {encoding: latin-1}")
    csv("r4-bad-value.csv", [row(i, price="n/a" if i == 40_000 else "2.5") for i in range(50_000)])
    mapping("r4-bad-value.csv", "-skip", above='nulls: ["", n/a]', price=", missing: skip")
    csv("r5-short-line.csv", [row(i)[:5] if i == 12 else row(i) for i in range(20)])
    mapping("r5-short-line.csv", "-skip", above="csv: {short_lines: skip}")
    csv("r6-text-customer.csv", [row(i, cust=f"CG-{12500 + i}") for i in range(20)])
    mapping("r6-text-customer.csv", "-hash", user=", hash: true")
    csv("r7-missing-customer.csv", [row(i, cust="" if i % 4 == 2 else None) for i in range(20)])
    mapping("r7-missing-customer.csv", "-skip", user=", missing: skip")
    csv("r8-utc-suffix.csv", [row(i, at="2024-03-01 12:00:00 UTC") for i in range(20)])
    noon = int(datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.timezone.utc).timestamp())
    csv("r9-epoch.csv", [row(i, at=str(noon)) for i in range(20)], time=", epoch: s")
    csv("r10-basic-date.csv", [row(i, at="20240301") for i in range(20)])
    csv("r11-pattern.csv", [row(i, at="01.07.2024 14:00") for i in range(20)],
        time=', format: "%d.%m.%Y %H:%M", zone: Europe/Berlin')
    csv("r12-semicolon.csv", [row(i) for i in range(20)], separator=";")
