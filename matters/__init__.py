"""What residents ask of departments: the catalogue of matters, asking for one, and what becomes of it.

`catalogue` says what there is, `applications` is asking, `cases` is handling. Each department stands behind a port.
"""
