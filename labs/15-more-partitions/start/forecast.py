"""Who moves to another partition? This is a file to change."""

from murmur2 import murmur2


def partition(shopper: int, partitions: int) -> int:
    """Where the purchases of a shopper go. The key: b"312"."""
    return 0


def moving(shoppers: list[int], before: int, after: int) -> set[int]:
    """Those whose next purchases go to another partition."""
    return set()


if __name__ == "__main__":
    from rehearsal import SHOPPERS
    print(f"{len(moving(SHOPPERS, 3, 6))} of {len(SHOPPERS)} shoppers move")
