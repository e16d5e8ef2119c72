# What the job scripts beside this file have in common; they read it, nobody runs it.

nanowarm=${NANOWARM:-nanowarm} # more than one word for a container: "apptainer exec nanowarm.sif nanowarm"
requeues=${NANOWARM_REQUEUES:-200}
export OMP_NUM_THREADS=1 # ranks and runs are the parallelism

say() { echo "$(date "+%F %T") job ${SLURM_JOB_ID:-none}: $*"; }

# Told by Slurm that time is running out (USR1) or that the job must go (TERM), stop the command as SIGTERM does, once.
stopped=no heard=0 child='' way=''
hear() {
    heard=$((heard + 1))
    if [ "$stopped" = no ]; then
        stopped=yes
        say "told to stop by SIG$1"
        [ -z "$child" ] || stop
    fi
}
stop() {
    if [ "$way" = srun ]; then
        scancel --signal=TERM "$SLURM_JOB_ID" || true # srun itself would kill its ranks at once
    else
        kill -TERM "$child" 2>/dev/null || true
    fi
}
trap "hear USR1" USR1
trap "hear TERM" TERM

# Start a command and wait for its end; sets code.
carry() {
    way=$1 code=3
    [ "$stopped" = no ] || return 0 # told before it could start
    "$@" &
    child=$!
    local before=-1
    while [ "$before" != "$heard" ]; do # a signal ends a wait, not the command
        before=$heard code=0
        wait "$child" || code=$?
    done
}

# Put this job back into the queue, where it has come further since it began; its script then starts anew.
# Arguments: what it had reached before, and what it has now.
requeue_after() {
    if [ "$1" = "$2" ]; then
        say "nothing was saved within one time limit: give more time (--time), or warn earlier (--signal=B:USR1@SECONDS)"
        exit 3
    fi
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "$requeues" ]; then
        say "requeued $requeues times already (NANOWARM_REQUEUES): submit the job again to go on"
        exit 3
    fi
    say "going on in the next turn"
    trap - USR1 TERM
    scontrol requeue "$SLURM_JOB_ID" || exit 3
    sleep 60 # Slurm ends this script
    exit 3
}
