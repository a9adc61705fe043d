./python produce.py
./python workers.py
