"""Several departments at the same time (并联审批): each with its part, its clock and its outcome."""
