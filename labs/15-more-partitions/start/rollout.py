"""Brings a topic from 3 to 6 partitions. This is a file to change."""

from rehearsal import Rehearsal

rehearsal = Rehearsal()
rehearsal.expand(6)
rehearsal.finish()
