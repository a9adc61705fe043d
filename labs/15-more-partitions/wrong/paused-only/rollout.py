"""Nobody buys anything during the change. (But the service is still behind.)"""

from rehearsal import Rehearsal

rehearsal = Rehearsal()
rehearsal.pause_shop()
rehearsal.expand(6)
rehearsal.open_shop()
rehearsal.finish()
