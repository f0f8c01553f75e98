"""Figures of this machine: each operation through the service layer, beside the same question as raw SQL in one run.

`make bench` (10,000 open deals), `BENCH=large make bench` (100,000 too), `BENCH=quick` for a look while building.
Results go to bench-results/; docs/figures.md keeps those of a quiet machine, with the figures of peers.
"""
