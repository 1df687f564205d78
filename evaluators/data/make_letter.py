"""Makes letter.csv.gz: letter-recognition.data of the UCI repository, gzipped and not changed.

    python3 make_letter.py FILE

FILE is letter-recognition.data out of
https://archive.ics.uci.edu/static/public/59/letter+recognition.zip.
"""

import gzip
import hashlib
import pathlib
import sys

SHA256 = "2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2"


def main():
    source = pathlib.Path(sys.argv[1])
    rows = source.read_bytes()
    found = hashlib.sha256(rows).hexdigest()
    if found != SHA256:
        sys.exit(f"{source}: its sha256 is {found}, not {SHA256}")
    target = pathlib.Path(__file__).with_name("letter.csv.gz")
    target.write_bytes(gzip.compress(rows, 9, mtime=0))


main()
