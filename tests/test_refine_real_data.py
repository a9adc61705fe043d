"""Real purchases through Kafka, Bronze and Silver: what Gold has of each day and category is what Polars computes from the
source file."""

import pathlib

import polars as pl
from deltalake import DeltaTable

from cluster import ROOT
from places import DEPS
from shopstream import Shopstream

LINE_ITEMS = 250_000  # Of 1,469,307, so that the test takes seconds.
FOLDER = DEPS / "data/complete_journey"


def rounded(dividend: pl.Expr, divisor: int) -> pl.Expr:
    """A quotient of numbers that are not negative, halves rounded up."""
    return (2 * dividend + divisor) // (2 * divisor)


def expected() -> pl.DataFrame:
    """In whole cents and yen: as config/sources/complete_journey.yaml converts them, and config/refine/rates.csv back."""
    items = pl.read_parquet(FOLDER / "transactions.parquet").head(LINE_ITEMS)
    categories = pl.read_parquet(FOLDER / "products.parquet", columns=["product_id", "product_category"])
    cents, currency = (pl.col("sales_value") * 100).round().cast(pl.Int64), pl.col("store_id") % 3
    sent = pl.when(currency == 0).then(cents).when(currency == 1).then(rounded(cents * 92, 100)).otherwise(
        rounded(cents * 151, 100))
    dollars = pl.when(currency == 0).then(pl.col("sent")).when(currency == 1).then(
        rounded(pl.col("sent") * 108_695_652, 10**8)).otherwise(rounded(pl.col("sent") * 66_225_200, 10**8))
    assert items.select(pl.struct("basket_id", "product_id").is_duplicated().any()).item() is False
    return (items.with_columns(sent=sent).filter(pl.col("quantity").is_between(1, 1000), pl.col("sent") > 0)
            .with_columns(usd=dollars, date=pl.col("transaction_timestamp").dt.date())
            .join(categories, on="product_id", how="left")
            .group_by("date", category="product_category")
            .agg(orders=pl.len().cast(pl.Int64), units=pl.col("quantity").sum(), cents=pl.col("usd").sum())
            .sort("date", "category", nulls_last=False))


def test_totals_by_day_and_category_are_those_of_the_source(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("replay", str(ROOT / "config/sources/complete_journey.yaml"), "--limit", LINE_ITEMS, timeout=120)
    shopstream.run("ingest", "--until-caught-up", timeout=150)
    state = {"SHOPSTREAM_REFINE_STATE_FOLDER": str(tmp_path / "state")}
    summary = shopstream.json("refine", timeout=120, **state)
    assert summary["rows"] == LINE_ITEMS
    products = pl.from_arrow(DeltaTable(str(shopstream.lake / "gold-metrics/product_daily")).to_pyarrow_table())
    assert isinstance(products, pl.DataFrame)
    found = (products.group_by("date", "category")
             .agg(pl.col("orders").sum(), pl.col("units").sum(), cents=(pl.col("revenue_usd").sum() * 100).cast(pl.Int64))
             .sort("date", "category", nulls_last=False))
    assert found.equals(expected().select(found.columns)), found.join(expected(), on=found.columns, how="anti", nulls_equal=True)
    assert found["orders"].sum() == summary["silver"] > LINE_ITEMS * 0.9
    shopstream.run("refine", "verify", timeout=120, **state)
