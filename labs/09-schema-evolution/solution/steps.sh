./shopstream schema register purchase.avsc
./python produce.py
./shopstream ingest --until-caught-up
