"""What residents may ask about being sure who they are, other than by face."""
