"""How it went (好差评): said by those it was about, held for them where they say nothing, and followed up when bad."""
