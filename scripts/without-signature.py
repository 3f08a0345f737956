"""Prints a fingerprint file without one signature: without-signature.py ID FILE.toml"""
import sys

want, file = sys.argv[1:3]
head, *blocks = open(file).read().split("[[signature]]")
kept = [b for b in blocks if f'id = "{want}"' not in b]
if len(kept) != len(blocks) - 1:
    sys.exit(f"{file}: {len(blocks) - len(kept)} signatures with id {want}, want one")
sys.stdout.write("[[signature]]".join([head, *kept]))
