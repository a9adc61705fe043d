"""Publishes a batch."""

from table import Table


def commit(table: Table, partition: int, begin: int, end: int, rows: list[int]) -> bool:
    # If the number is taken, another sink has written. (But perhaps it has written long before.)
    return table.put_if_absent(table.read().version + 1, partition, begin, end, rows)
