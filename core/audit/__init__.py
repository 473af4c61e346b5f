"""Who did what to whose data: recorded in the transaction, linked and signed once a second, read by the ledger."""
