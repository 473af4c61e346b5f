"""The ground all rooms stand on: settings, problems, transactions, jobs, audit, keys, time and the one door out.

It knows no citizen, no matter and no HTTP serving.
"""
