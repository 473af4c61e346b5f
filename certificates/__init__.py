"""The wallet: certificates a resident holds, fetched from who issues them, shown for a minute, checked once.

What a kind of certificate is stands as data in `kinds/`; who issues it stands in `adapters/`. Everything here moves the
same way whatever the kind: fetch, keep, show, verify, and tell the holder each time.
"""
