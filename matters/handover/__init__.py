"""What goes between us and departments: the one way of sending, asking how a case stands, and what they hear after."""
