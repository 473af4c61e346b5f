"""Files that go along with an application: taken, sealed, opened by short addresses, copied from what was kept."""
