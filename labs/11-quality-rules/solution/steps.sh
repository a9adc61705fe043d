./shopstream ingest --until-caught-up
./shopstream refine test gift_cards.yaml
./shopstream refine
