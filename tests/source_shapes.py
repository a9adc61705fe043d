"""Rows in the shape of well-known files, with their quirks, and the purchases that they stand for: computed from the
rows here, without the program."""

import csv
import datetime
import decimal
import hashlib
import io
import pathlib
import random
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
UTC = datetime.timezone.utc
RATES = {"USD": decimal.Decimal(1), "EUR": decimal.Decimal("0.92"), "JPY": decimal.Decimal(151)}
CURRENCIES = {"US": "USD", "EU": "EUR", "ASIA": "JPY"}


def write(path: pathlib.Path, header: str, rows: list[list[str]], encoding: str = "utf-8") -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def event_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def amount(value: decimal.Decimal, currency: str) -> float:
    unit = decimal.Decimal(1) if currency == "JPY" else decimal.Decimal("0.01")
    return float(value.quantize(unit, decimal.ROUND_HALF_UP))


def hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha1(text.encode()).digest()[:4], "big") & 0x7FFFFFFF


def iso(time: datetime.datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def title(text: str) -> str:
    """Words of more than two ASCII letters, capitalised."""
    made, word = "", ""
    for character in text + "\0":
        if character.isascii() and character.isalpha():
            word += character
            continue
        made += (word[0] + word[1:].lower() if len(word) > 2 else word) + character
        word = ""
    return made[:-1]


def uci_online_retail(folder: pathlib.Path, rows: int, chance: random.Random) -> tuple[list[Event], Event]:
    """Latin letters and pounds in Windows' encoding, commas and line breaks in quotes, lines without a customer or a
    description, prices of zero, cancellations, and an hour that London's clocks skipped."""
    zone = zoneinfo.ZoneInfo("Europe/London")
    regions = {"USA": "US", "Canada": "US", "Japan": "ASIA", "Singapore": "ASIA", "Hong Kong": "ASIA"}
    descriptions = ["WHITE HANGING HEART T-LIGHT HOLDER", "SET/3, \"CAFÉ\" BOXES", "£5 GIFT\nVOUCHER", "",
                    "amazon fee", "JUMBO BAG 50'S CHRISTMAS "]
    times = sorted(chance.randrange(20 * 525_600) for _ in range(rows))
    lines, events = [], []
    counts: Event = {"filtered": 0, "missing": {"user_id": 0}, "short_lines": 0, "long_lines": 0}
    for i, minutes in enumerate(times):
        clock = datetime.datetime(2010, 12, 1, 8, 26) + datetime.timedelta(minutes=minutes // 20)
        if i == rows // 4:
            clock = datetime.datetime(2011, 3, 27, 1, 30)
        invoice = f"{'C' if chance.random() < 0.02 else ''}{536365 + i // 7}"
        quantity = chance.choice([1, 2, 6, 48, -5, 80995])
        price = chance.choice(["2.55", "0", "0.001", "1.005", "649.5", "-11062.06"])
        customer = chance.choice(["17850", "13047", "", "12346.0"])
        country = chance.choice(["United Kingdom", "EIRE", "USA", "Hong Kong", "Japan"])
        code, description = f"{85123 + i % 9}A", chance.choice(descriptions)
        stamp = f"{clock.month}/{clock.day}/{clock.year} {clock.hour}:{clock.minute:02d}"
        lines.append([invoice, code, description, str(quantity), stamp, price, customer, country])
        if invoice.startswith("C") or quantity <= 0:
            counts["filtered"] += 1
        elif not customer:
            counts["missing"]["user_id"] += 1
        else:
            euros = decimal.Decimal(price) * quantity * decimal.Decimal("1.15")
            events.append({
                "event_id": event_id(f"uci-online-retail/{invoice}/{code}/{quantity}/{price}"),
                "user_id": int(float(customer)), "region": regions.get(country, "EU"), "product_id": code,
                "product_name": title(description or f"Product {code}"), "quantity": quantity,
                "amount": amount(euros, "EUR"), "currency": "EUR", "timestamp": iso(clock.replace(tzinfo=zone))})
    write(folder / "data.csv", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
          lines, "cp1252")
    return sorted(events, key=lambda event: str(event["timestamp"])), counts


def rees46(folder: pathlib.Path, rows: int, chance: random.Random) -> tuple[list[Event], Event]:
    """Times that end in " UTC", three kinds of events, missing categories and brands."""
    regions = ["US", "EU", "ASIA"]
    lines, events, filtered = [], [], 0
    for i in range(rows):
        time = datetime.datetime(2019, 10, 1, tzinfo=UTC) + datetime.timedelta(seconds=i * 41)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC")
        kind = chance.choice(["view", "cart", "purchase", "purchase"])
        category, brand = chance.choice(["electronics.smartphone", ""]), chance.choice(["samsung", "l'oréal", ""])
        product, user = str(1004856 + i % 50), chance.randrange(244951053, 577000000)
        price, session = f"{chance.randrange(0, 257407) / 100:.2f}", str(uuid.UUID(int=chance.getrandbits(128)))
        lines.append([stamp, kind, product, "2053013555631882655", category, brand, price, str(user), session])
        if kind != "purchase":
            filtered += 1
            continue
        region = regions[user % 3]
        currency = CURRENCIES[region]
        name = " ".join(filter(None, [brand, category])) if brand and category else \
            f"{brand or category} {product}" if brand or category else f"Product {product}"
        events.append({
            "event_id": event_id(f"rees46/{session}/{product}/{stamp}"), "user_id": user, "region": region,
            "product_id": product, "product_name": name, "quantity": 1,
            "amount": amount(decimal.Decimal(price) * RATES[currency], currency), "currency": currency,
            "timestamp": iso(time)})
    write(folder / "2019-Oct.csv",
          "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session", lines)
    return events, {"filtered": filtered, "missing": {}, "short_lines": 0, "long_lines": 0}


def olist(folder: pathlib.Path, rows: int, chance: random.Random) -> tuple[list[Event], Event]:
    """Four files, not in the order of time; orders that were cancelled or have no time, items without an order,
    products without a category, and the hours around the ends of São Paulo's summer time."""
    zone = zoneinfo.ZoneInfo("America/Sao_Paulo")

    def digits() -> str:
        return "".join(chance.choices("0123456789abcdef", k=32))

    customers = {digits(): digits() for _ in range(rows // 3)}
    categories = {digits(): chance.choice(["beleza_saude", "cama_mesa_banho", ""]) for _ in range(50)}
    changes = [datetime.datetime(2017, 10, 15), datetime.datetime(2018, 2, 17, 23), datetime.datetime(2018, 2, 18)]
    orders: dict[str, list[str]] = {}
    for customer in customers:
        time = datetime.datetime(2016, 9, 4) + datetime.timedelta(seconds=chance.randrange(700 * 86_400))
        if chance.random() < 0.2:
            time = chance.choice(changes) + datetime.timedelta(seconds=chance.randrange(3600))
        status = chance.choice(["delivered"] * 8 + ["canceled", "unavailable"])
        orders[digits()] = [customer, status, "" if chance.random() < 0.01 else str(time)]
    known = list(orders)
    lines, made = [], []
    counts: Event = {"filtered": 0, "missing": {"user_id": 0, "timestamp": 0}, "short_lines": 0, "long_lines": 0}
    for i in range(rows):
        order = digits() if chance.random() < 0.01 else chance.choice(known)
        product, price = chance.choice(list(categories)), f"{chance.randrange(85, 673500) / 100:.2f}"
        lines.append([order, str(i % 4 + 1), product, digits(), "2018-01-01 00:00:00", price, "13.29"])
        customer, status, stamp = orders.get(order, ["", "", ""])
        if status in ("canceled", "unavailable"):
            counts["filtered"] += 1
        elif order not in orders:
            counts["missing"]["user_id"] += 1
        elif not stamp:
            counts["missing"]["timestamp"] += 1
        else:
            time = datetime.datetime.fromisoformat(stamp).replace(tzinfo=zone)
            made.append((time.astimezone(UTC), {
                "event_id": event_id(f"olist/{order}/{i % 4 + 1}"), "user_id": hashed(customers[customer]),
                "region": "US", "product_id": product, "product_name": categories[product] or f"Product {product}",
                "quantity": 1, "amount": amount(decimal.Decimal(price) * decimal.Decimal("0.29"), "USD"),
                "currency": "USD", "timestamp": iso(time)}))
    write(folder / "olist_order_items_dataset.csv",
          "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value", lines)
    write(folder / "olist_orders_dataset.csv", "order_id,customer_id,order_status,order_purchase_timestamp",
          [[order, *values] for order, values in orders.items()])
    write(folder / "olist_customers_dataset.csv", "customer_id,customer_unique_id,customer_city",
          [[customer, unique, "são paulo"] for customer, unique in customers.items()])
    write(folder / "olist_products_dataset.csv", "product_id,product_category_name",
          [[product, category] for product, category in categories.items()])
    return [event for _, event in sorted(made, key=lambda pair: pair[0])], counts


SHAPES: dict[str, Callable[[pathlib.Path, int, random.Random], tuple[list[Event], Event]]] = {
    "uci_online_retail": uci_online_retail, "rees46": rees46, "olist": olist}
