"""Who only issues certificates, and what all issuers have in their drawers."""
