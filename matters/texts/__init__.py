"""What residents write in their own words: looked at before it goes on, and held for a person where it is risky."""
