#!/usr/bin/env bash
# A search on the nodes of a Slurm job: Ray's head on the first, its workers on the others, an actor
# for each processor. Sent again with the same RUN_DIR, it goes on with the run.
#
#   sbatch --nodes=4 --ntasks-per-node=1 --cpus-per-task=64 slurm_ray.sh CONFIG RUN_DIR
#
#SBATCH --job-name=evo
#SBATCH --ntasks-per-node=1
set -euo pipefail
config=$1
run_dir=$2

# Nodes and driver know each other by a token in the home directory, which they share.
export RAY_AUTH_MODE=token
ray get-auth-token --generate >/dev/null

cpus=${SLURM_CPUS_PER_TASK:-1}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --overlap --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | awk '{print $1}')
port=${RAY_PORT:-6379}

stop() {
    srun --overlap --ntasks="${#nodes[@]}" ray stop --force || true
}
trap stop EXIT

# `--block` keeps each in the foreground of its own job step, so that it ends with the job.
srun --overlap --nodes=1 --ntasks=1 -w "$head" \
    ray start --head --node-ip-address="$address" --port="$port" --num-cpus="$cpus" --block &
sleep 10
for node in "${nodes[@]:1}"; do
    srun --overlap --nodes=1 --ntasks=1 -w "$node" \
        ray start --address="$address:$port" --num-cpus="$cpus" --block &
done

# The driver breeds and hashes: one processor of the head is its own.
most=$((${#nodes[@]} * cpus - 1))
arguments=(--address "$address:$port" --actors "1-$((most > 1 ? most : 1))")
if [[ -e $run_dir/run.db ]]; then
    python -m evo_search.ray --resume "$run_dir" "${arguments[@]}"
else
    python -m evo_search.ray "$config" --out "$run_dir" "${arguments[@]}"
fi
