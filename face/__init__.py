"""Is this person the person: a short recording is looked at, and compared with the portrait the registry holds.

The local engine reads five points of a face, judges quality and a few requested movements, and compares one face with
one other. It does not stop camera injection, live deepfakes, masks or twins, nor an old recording compressed anew that
happens to show what is asked; `docs/decisions/` says what follows from that.
"""
