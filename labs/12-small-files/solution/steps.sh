./shopstream table optimize bronze-events
./python vacuum.py
