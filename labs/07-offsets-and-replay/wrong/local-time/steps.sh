# The time as it is written there. (But Lagos is an hour ahead of UTC.)
group=$(./python -c 'import board; print(board.BOARD)')
time=$(grep -oE '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}' incident.txt)
./shopstream group reset-offsets "$group" --to-time "$time" --execute
./python board.py
