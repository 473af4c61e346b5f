"""The departments and the file store, one file for each, built by the wiring.

Listed here by hand:

- `public_security`: takes residence permit cases (`PublicSecurity`) and answers about households (`Households`);
- `human_resources`: confirms pensions over SOAP (`PensionDesk`) and answers about insurance (`Insurance`);
- `education`: answers about degrees (`Degrees`);
- `real_estate`: answers about residences (`Residences`);
- `folder`: keeps attachments in a folder (`Folder`).
"""
