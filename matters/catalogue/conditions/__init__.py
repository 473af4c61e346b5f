"""Conditions of the catalogue: whether they hold, who may apply, and which materials are asked for at all."""
