"""How time is counted for a case or a part of one: what was used, what is left, how long the clock stood, when it ends.

Nothing here knows a case: whoever has a beginning, its stops and a limit can count (docs/decisions/0042).
"""
