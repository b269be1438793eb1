"""One loan: terms (what was agreed), events (what happened), and the fold that makes a loan of them."""
