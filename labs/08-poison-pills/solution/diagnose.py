"""Fills in diagnosis.toml from the quarantine, as you would by hand."""

import json

import polars

REPAIRS = {"bad_frame": "sender", "corrupt": "sender", "empty": "sender", "unknown_schema": "registry", "unknown_region": "setting"}
rows = polars.read_delta("lake/bronze-quarantine", columns=["headers", "cause"]).to_dicts()
causes = {}
for row in rows:
    causes[json.loads(row["headers"])[0]["value"]] = row["cause"]
with open("diagnosis.toml", "w") as file:
    for sender, cause in causes.items():
        file.write(f'[{sender}]\ncause = "{cause}"\nrepair = "{REPAIRS[cause]}"\n\n')
