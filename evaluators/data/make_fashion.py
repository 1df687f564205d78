"""Makes fashion.bin.gz: the first training images of Fashion-MNIST, and their labels.

    python3 make_fashion.py FOLDER

FOLDER holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz as Zalando Research hands them
out (https://github.com/zalandoresearch/fashion-mnist), or as the Debian package dataset-fashion-mnist
has them in usr/share/datasets/fashion-mnist. Written are COUNT labels, one byte each, then COUNT
images of 28×28 bytes, gzipped. All 60,000 images are 26 MB; so these are few, at full resolution.
"""

import gzip
import hashlib
import pathlib
import sys

COUNT = 3500
# Name, bytes of the header, bytes of an example, and the sha256 of the unpacked file: packed anew,
# as in Debian, the same numbers are other bytes.
SOURCES = [
    ("train-labels-idx1-ubyte.gz", 8, 1,
     "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    ("train-images-idx3-ubyte.gz", 16, 28 * 28,
     "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
]


def first(path, header, size, sha256):
    numbers = gzip.decompress(path.read_bytes())
    found = hashlib.sha256(numbers).hexdigest()
    if found != sha256:
        sys.exit(f"{path}: the sha256 of its contents is {found}, not {sha256}")
    return numbers[header:][:COUNT * size]


def main():
    folder = pathlib.Path(sys.argv[1])
    numbers = b"".join(first(folder / name, *rest) for name, *rest in SOURCES)
    target = pathlib.Path(__file__).with_name("fashion.bin.gz")
    target.write_bytes(gzip.compress(numbers, 9, mtime=0))


main()
