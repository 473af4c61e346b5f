"""What is fast: the main operations of the running product, measured beside floors written by hand in the same run.

`python -m benchmarks` (make bench), `python -m benchmarks --nightly` (make bench-nightly). How to read what it prints
stands in README.md beside this file.
"""
