"""Publishes a batch."""

from table import Table


def commit(table: Table, partition: int, begin: int, end: int, rows: list[int]) -> bool:
    while True:
        state = table.read()
        if state.next.get(partition, 0) != begin:
            return False
        # Only if nothing has changed since: otherwise somebody has this number.
        if table.put_if_absent(state.version + 1, partition, begin, end, rows):
            return True
