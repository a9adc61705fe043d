./shopstream backup create backup
./python disaster.py lake
./shopstream backup restore backup
./shopstream ingest --until-caught-up

./python disaster.py kafka
./shopstream backup restore backup --part registry
./shopstream backup restore backup --part topics
./shopstream generate --count 50
./shopstream ingest --until-caught-up
