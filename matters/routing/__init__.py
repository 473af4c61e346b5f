"""Who gets a case: rules as data by matter, region, level and load, with a desk for what fits nowhere."""
