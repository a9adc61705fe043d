./python produce.py
