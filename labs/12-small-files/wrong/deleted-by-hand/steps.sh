# The folder must become small, so the oldest files go.
find lake/bronze-events -name "*.parquet" | sort | head -n 20 | xargs rm
