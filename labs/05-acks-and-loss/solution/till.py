"""A till: sells what night.py asks for, and gives a receipt for each purchase
that Kafka has acknowledged. Its settings are those of any producer.
"""

from counter import sell

sell({"acks": "all"})
