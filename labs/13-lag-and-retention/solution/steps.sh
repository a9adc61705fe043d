./python cleanup.py
./python name_lost.py
./shopstream ingest --until-caught-up
