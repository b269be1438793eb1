"""A second engine, slow and plain, that shares no code with the first: one loop over days, lists of what is asked for,
exact fractions. It reads the stored terms and events as anybody could, and knows nothing of movements, checkpoints,
folds or late truths: what was undone it is never told. The laws compare the engine with it on random histories.
"""
