"""Who stands behind the ways to be sure who somebody is, pretended: messages, carriers, banks, payment, identity."""
