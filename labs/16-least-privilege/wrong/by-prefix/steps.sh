cp vault/loader.password loader.password
./python grant.py
./shopstream ingest --until-caught-up
