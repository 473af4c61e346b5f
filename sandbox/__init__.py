"""The pretend back offices: WeChat, the population registry and the departments, as one HTTP server of its own.

It runs in another process than the product and shares no code with it. Both are written from the interface pages in
`docs/departments/`, so a misreading on either side shows as a failure. Never part of a production installation.
"""
