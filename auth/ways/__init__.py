"""Ways to be sure who somebody is, other than by their face.

By these a resident raises a session (step-up), comes in where there is no WeChat (login), and lets an officer act for
them (assistance). A way proves that whoever is there is the person with a name and a number; what that is worth is a
setting.
"""
