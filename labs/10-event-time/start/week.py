"""Three days of the shop, as `./lab reset` sends them: some phones are offline for up to 20 hours."""

import datetime

from purchases import Shop, day
from settings import SEED

shop = Shop(SEED)
for ago in (4, 3, 2):
    for _ in range(120):
        made = day(ago) + datetime.timedelta(seconds=shop.chance.randrange(24 * 3600))
        late = shop.chance.random() < 0.15
        shop.sell(made, made + datetime.timedelta(seconds=shop.chance.randrange(3600, 72000) if late else 1))
shop.close()
