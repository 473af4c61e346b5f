"""The dynamic list (权责清单): versions of matters from draft to withdrawal, and how the list is consolidated."""
