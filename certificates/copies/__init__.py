"""Stamped copies (加注件): certificates on paper for one consumer and one purpose, which tell of another use."""
