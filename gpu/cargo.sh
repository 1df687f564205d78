#!/usr/bin/env bash
# Runs cargo with what a build for CUDA needs, on a machine that need not have a GPU, a driver or
# CUDA: gpu/cargo.sh build --release --features cuda
# Or another program, in the same surroundings: gpu/cargo.sh --run nvcc --version
#
# Everything it makes lies in target/gpu:
#   toolkit/    the compiler and headers of CUDA, from wheels (requirements.txt)
#   candle/     candle with two edits, see below
#   workspace/  this workspace by links, with the edited candle in its Cargo.toml
#   build/      what cargo builds
#   libraries/  those that a device needs when it runs, if the machine has none (docs/gpu.md)
# The build has a workspace of its own because replacing candle changes Cargo.lock, and the
# repository's must stay as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
gpu=${CARGO_TARGET_DIR:-$root/target}/gpu
candle_version=0.11.1

make_toolkit() {
    if cmp --silent gpu/requirements.txt "$gpu/toolkit/requirements.txt"; then
        return
    fi
    rm -rf "$gpu/toolkit"
    mkdir -p "$gpu/toolkit"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$gpu/toolkit/wheels" --requirement gpu/requirements.txt
    cp gpu/requirements.txt "$gpu/toolkit/requirements.txt"
}

# A crate of candle as it is published, in $gpu/candle.
copy_crate() {
    local source
    source=$(cargo metadata --locked --format-version 1 --features cuda |
        python3 -c 'import json, os, sys
packages = json.load(sys.stdin)["packages"]
paths = [p["manifest_path"] for p in packages if [p["name"], p["version"]] == sys.argv[1:]]
sys.exit("Cargo.lock has no %s %s" % tuple(sys.argv[1:])) if not paths else print(os.path.dirname(paths[0]))' \
            "$1" "$candle_version")
    rm -rf "$gpu/candle/$1"
    mkdir -p "$gpu/candle"
    cp -r "$source" "$gpu/candle/$1"
    chmod -R u+w "$gpu/candle/$1"
}

# Replaces one line that must be there, so that a candle that changed is noticed.
edit() {
    grep --quiet --extended-regexp "$2" "$1" || { echo "$1: nothing matches $2" >&2; exit 1; }
    sed --in-place --regexp-extended "$3" "$1"
}

# One binary for machines with and without CUDA: the libraries are opened when a device is asked
# for. And the kernels of quantised mixtures of experts, minutes of nvcc that nothing here calls,
# are left out with the runtime library that they alone need.
make_candle() {
    if [ -e "$gpu/candle/$candle_version" ]; then
        return
    fi
    copy_crate candle-core
    copy_crate candle-kernels
    edit "$gpu/candle/candle-core/Cargo.toml" '"dynamic-linking"' \
        's/"dynamic-linking"/"dynamic-loading"/'
    edit "$gpu/candle/candle-kernels/build.rs" '^    let mut moe_sources' \
        '/^    let mut moe_sources/,$d'
    printf '    let _ = CUTILE_FEATURE;\n    Ok(())\n}\n' >>"$gpu/candle/candle-kernels/build.rs"
    touch "$gpu/candle/$candle_version"
}

make_workspace() {
    mkdir -p "$gpu/workspace"
    local entry name
    for entry in "$root"/* "$root"/.cargo; do
        name=$(basename "$entry")
        case $name in
        Cargo.toml | Cargo.lock | target) ;;
        *) [ ! -e "$entry" ] || ln -sfn "$entry" "$gpu/workspace/$name" ;;
        esac
    done
    {
        cat Cargo.toml
        printf '\n[patch.crates-io]\n'
        printf '%s = { path = "../candle/%s" }\n' candle-core candle-core candle-kernels candle-kernels
    } >"$gpu/workspace/Cargo.toml.new"
    # Only when it changed: cargo and the lock below go by it.
    if ! cmp --silent "$gpu/workspace/Cargo.toml.new" "$gpu/workspace/Cargo.toml" ||
        ! cmp --silent Cargo.lock "$gpu/workspace/Cargo.lock.original"; then
        cp "$gpu/workspace/Cargo.toml.new" "$gpu/workspace/Cargo.toml"
        cp Cargo.lock "$gpu/workspace/Cargo.lock"
        cp Cargo.lock "$gpu/workspace/Cargo.lock.original"
    fi
}

mkdir -p "$gpu"
make_toolkit
make_candle
make_workspace

home=$gpu/toolkit/wheels/nvidia/cu13
export CUDA_HOME=$home CUDA_PATH=$home CUDA_ROOT=$home CUDA_TOOLKIT_ROOT_DIR=$home
export PATH=$home/bin:$PATH NVCC=$home/bin/nvcc
# Hopper. Asking the driver is not possible here, and asking nvcc for its version not needed.
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90} CUDARC_CUDA_VERSION=13000
export CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-2}
export CARGO_TARGET_DIR=$gpu/build
# The run-time compiler for the tests, and libraries that docs/gpu.md says how to add. What a
# machine with a GPU has of its own goes first.
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$gpu/libraries/nvidia/cu13/lib:$home/lib
cd "$gpu/workspace"
if [ "${1:-}" = --run ]; then
    shift
    exec "$@"
fi
exec cargo "$@"
