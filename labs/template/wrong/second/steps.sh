# What a student would type, run by bash in the lab's folder.
