"""Supervision: yellow and red cards for cases near their date and beyond it, orders to answer for them, records.

The timetable finds them; people answer, and who does not is written down (督办, 问责).
"""
