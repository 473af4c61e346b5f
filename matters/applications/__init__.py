"""Asking: drafts and their forms, materials, submission, and what the asker may do afterwards."""
