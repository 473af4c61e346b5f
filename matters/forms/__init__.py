"""Forms: one definition for every screen, in JSON Schema with conditions and computed values (`docs/forms.md`)."""
