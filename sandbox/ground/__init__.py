"""What every pretended system stands on: settings, memory, signatures, faults and the calls back."""
