./python zombie.py inside  # What the checker does as well.
