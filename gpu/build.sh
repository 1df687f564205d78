#!/usr/bin/env bash
# Builds evo for CUDA from nothing and checks all that can be checked without a device:
# that the kernel of updates is accepted by the run-time compiler a device's machine would use and
# by the assembler, that the binary starts without CUDA, and that the repository is left as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
gpu=${CARGO_TARGET_DIR:-$PWD/target}/gpu
evo=$gpu/build/release/evo
lock=$(cksum Cargo.lock)

step() {
    printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

step "the binary"
gpu/cargo.sh build --release --features cuda

# Both packages, so that the crates they use have the features that the binary gave them already.
step "the kernel, compiled at run time"
EVO_KERNEL_CODE=$gpu/update.ptx gpu/cargo.sh test --release --features cuda \
    -p evo -p evo-evaluators --lib -- device

step "the kernel, assembled for sm_90: registers and memory"
gpu/cargo.sh --run ptxas --verbose --gpu-name sm_90 --output-file "$gpu/update.cubin" "$gpu/update.ptx"

step "the binary starts, and needs no library of CUDA to"
"$evo" --version
if ldd "$evo" | grep --extended-regexp 'libcu|libnv'; then
    exit 1
fi

[ "$lock" = "$(cksum Cargo.lock)" ] || { echo "Cargo.lock has changed" >&2; exit 1; }
step "built: $evo"
