"""A phone that was offline: 40 purchases that were made four days ago, received now."""

import datetime

from purchases import Shop, day
from settings import SEED

shop = Shop(SEED + 1)
for _ in range(40):
    shop.sell(day(4) + datetime.timedelta(seconds=shop.chance.randrange(24 * 3600)), sender="phone")
shop.close()
print("40 purchases sent")
