./python rollout.py
