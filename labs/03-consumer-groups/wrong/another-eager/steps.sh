./python crew.py 2
