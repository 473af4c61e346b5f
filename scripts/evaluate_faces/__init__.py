"""Measure the face engine on labelled pictures: how often it errs, for whom, and which attacks it stops."""
