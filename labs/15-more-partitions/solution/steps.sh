./python rollout.py
./python forecast.py
topic=$(./python -c 'import settings; print(settings.TOPIC)')
./shopstream topics expand "$topic" --partitions 6
./shopstream generate --count 200
./shopstream ingest --until-caught-up
