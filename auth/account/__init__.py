"""What becomes of accounts: taken over by their owner, closed by a death; and the groups that certificates prove."""
