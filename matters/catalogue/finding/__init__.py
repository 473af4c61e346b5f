"""Finding matters: by theme, group and event of life, and by the words people use, also spelled or mistyped."""
