"""Judges the table that score.py printed: corpus-marks.py SCORE EXTRA REVIEWED.tsv

Marks: 95 % of each kind with 20 expected rows or more (http.server: 85 %), at most
one missing of the others (five bare-MSH rows of each HL7 kind aside), nothing leaked, and every extra
row reviewed (file, kind, first 12 of sha256 of the value, reason)."""
import hashlib, sys

score, extra, reviewed = sys.argv[1:4]
bad = []
for line in open(score):
    f = line.split()
    if len(f) != 8 or f[0] == "kind":
        continue
    kind, expected, missing, leaked = f[0], int(f[1]), int(f[4]), int(f[6])
    share = 1 - missing / expected if expected else 1
    if leaked:
        bad.append(f"{kind}: {leaked} leaked")
    if kind == "http.server":
        if share < 0.85:
            bad.append(f"{kind}: {share:.1%} found, want 85 %")
    elif expected >= 20:
        if share < 0.95:
            bad.append(f"{kind}: {share:.1%} found, want 95 %")
    elif missing > (6 if kind.startswith("hl7.") else 1):
        bad.append(f"{kind}: {missing} missing, want at most one")
known = set()
for line in open(reviewed):
    if line.strip() and not line.startswith("#"):
        known.add(tuple(line.rstrip("\n").split("\t")[:3]))
for line in open(extra):
    _, file, kind, value = line.rstrip("\n").split("\t")[:4]
    row = (file, kind, hashlib.sha256(value.encode()).hexdigest()[:12])
    if row not in known:
        bad.append("extra row that nobody reviewed: " + "\t".join(row))
for b in bad:
    print("below the mark:", b)
print(f"corpus: {0 if bad else 1} passed, {len(bad)} failed")
sys.exit(1 if bad else 0)
