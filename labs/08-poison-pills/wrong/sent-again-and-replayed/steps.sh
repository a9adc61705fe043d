./shopstream ingest --until-caught-up
./python diagnose.py
sed -i 's/^ingest:/ingest:\n  partition_values: [US, EU, ASIA, MEA]/' config/pipeline.yaml
./python send_again.py
./shopstream ingest --until-caught-up
./shopstream quarantine replay
