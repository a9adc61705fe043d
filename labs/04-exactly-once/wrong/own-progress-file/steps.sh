./shopstream ingest --until-caught-up
