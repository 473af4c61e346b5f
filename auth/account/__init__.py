"""What becomes of accounts: taken over by their owner from another WeChat account, closed by a death."""
