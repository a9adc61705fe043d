# Kafka has the records, so ingest can read them again. (Kafka had, once.)
./python disaster.py lake
./shopstream ingest --until-caught-up
