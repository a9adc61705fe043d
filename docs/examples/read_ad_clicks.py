"""What the clicks cost, read with Polars over delta-rs; see docs/your-own-events.md."""

import sys

import polars

table = polars.scan_delta(f"{sys.argv[1]}/ad-clicks")
clicks = table.select("campaign", "placement", "tags", "device", "cost_cents").collect().to_dicts()
for campaign in sorted({click["campaign"] for click in clicks}):
    own = [click for click in clicks if click["campaign"] == campaign]
    print(campaign, len(own), sum(click["cost_cents"] for click in own))
print("pages", *sorted({click["placement"]["page"] for click in clicks}))
print("from a phone", sum(click["device"] == "phone" for click in clicks))
print("with a width", sum(click["placement"]["width"] is not None for click in clicks))
