./shopstream backup create backup
./python disaster.py lake
./shopstream backup restore backup
./shopstream ingest --until-caught-up

# The schema is in a file, so it can be registered again. (Under another id.)
./python disaster.py kafka
./shopstream topics setup
./shopstream schema register purchase_event.avsc
./shopstream generate --count 50
./shopstream ingest --until-caught-up
