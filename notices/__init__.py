"""Telling people what concerns them: on WeChat, by short message, and always in the inbox of the mini program.

Rooms below and above promise a job `notices.tell` with ids and public words; what is said to whom, by which channel,
and what happens when a channel fails is decided here.
"""
