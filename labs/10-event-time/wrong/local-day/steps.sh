./python offline_phone.py
./python offline_phone.py  # Twice: refine rejects the copies.
./shopstream ingest --until-caught-up
./shopstream refine
