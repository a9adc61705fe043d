./python topic.py
