"""What stands outside of matters: the departments behind it, stores, scanners and platforms, chosen by settings."""
