./python offline_phone.py
./shopstream ingest --until-caught-up
./shopstream refine
