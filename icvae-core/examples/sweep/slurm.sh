#!/bin/bash
# A sweep on a Slurm cluster: four tasks that share no point. GRID.toml, DIR and this repository lie on a file system that
# all nodes see.
#
#     sbatch icvae-core/examples/sweep/slurm.sh GRID.toml DIR
#
# Another number of tasks: sbatch --array=0-15 …. A task that is killed or requeued goes on where it was; after a failure
# the same command runs what is missing.
#SBATCH --job-name=sweep
#SBATCH --array=0-3
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=sweep-%A-%a.txt

# SWEEP names a compiled one, where nodes have no cargo.
${SWEEP:-cargo run --release -p icvae-core --example sweep --} "$1" --output "$2" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
