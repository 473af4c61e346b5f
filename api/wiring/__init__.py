"""The composition root: settings in, services out. The one place that names adapters."""
