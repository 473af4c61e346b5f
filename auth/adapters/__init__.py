"""The outside systems that auth leans on, one file each."""
