# The group is what board.py prints; the time is that of incident.txt.
group=$(./python -c 'import board; print(board.BOARD)')
time=$(grep -oE '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}' incident.txt)
./shopstream group reset-offsets "$group" --to-time "$time +01:00" --execute
./python board.py
./python force.py
./shopstream ingest --until-caught-up
./shopstream query -f twice.sql
