"""The service catches up. (But others buy meanwhile.)"""

from rehearsal import Rehearsal

rehearsal = Rehearsal()
rehearsal.serve()
rehearsal.expand(6)
rehearsal.finish()
