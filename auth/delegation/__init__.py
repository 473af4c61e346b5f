"""On whose behalf: relatives, mandates, guardians by law, and organisations with those who act for them."""
