"""How certificates live in a wallet: their issuers are asked and tell, what changes is kept, holders are reminded."""
