"""Side-by-side measurements of the kit, its peers and the machine: ``python -m benchmarks``."""
