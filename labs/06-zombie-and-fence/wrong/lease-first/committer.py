"""Publishes a batch."""

from table import Table


def commit(table: Table, partition: int, begin: int, end: int, rows: list[int]) -> bool:
    if not table.holds_lease(partition):
        return False  # A zombie. (But it may be frozen after this line.)
    version = table.read().version + 1
    while not table.put_if_absent(version, partition, begin, end, rows):
        version += 1
    return True
