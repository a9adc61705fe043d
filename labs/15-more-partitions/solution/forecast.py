"""Who moves to another partition? This is a file to change."""

from murmur2 import murmur2


def partition(shopper: int, partitions: int) -> int:
    """Where the purchases of a shopper go. The key: b"312"."""
    return (murmur2(str(shopper).encode()) & 0x7FFFFFFF) % partitions


def moving(shoppers: list[int], before: int, after: int) -> set[int]:
    """Those whose next purchases go to another partition."""
    return {shopper for shopper in shoppers
            if partition(shopper, before) != partition(shopper, after)}


if __name__ == "__main__":
    from rehearsal import SHOPPERS
    print(f"{len(moving(SHOPPERS, 3, 6))} of {len(SHOPPERS)} shoppers move")
