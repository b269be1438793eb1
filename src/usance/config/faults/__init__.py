"""`usance faults`: the product attacked from every side, by seed, and judged by somebody who does not trust it.

storm   what goes wrong on the wire: a proxy between the product and the provider, in both directions
points  where a worker is killed
lenders the institutions, people and loans that live through it
acts    what people and machines do meanwhile, each act with its fault
quiet   what is done when the wind has dropped: poisoned loans, altered rows
judge   the provider's own book against ours, read behind the product's back
tally   what was injected, and what was lost, doubled, stuck or wrong
"""
