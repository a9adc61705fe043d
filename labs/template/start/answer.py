# What a student edits is here.
