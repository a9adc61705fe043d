"""Brings a topic from 3 to 6 partitions. This is a file to change."""

from rehearsal import Rehearsal

rehearsal = Rehearsal()
rehearsal.pause_shop()
rehearsal.serve()
rehearsal.expand(6)
rehearsal.open_shop()
rehearsal.finish()
