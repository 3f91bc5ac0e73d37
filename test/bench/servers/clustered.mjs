// Another server of this folder in processes of node:cluster, as its users run it: BENCH_PEER in BENCH_WORKERS processes.
import cluster from 'node:cluster';

if (cluster.isPrimary) for (let n = 0; n < Number(process.env['BENCH_WORKERS']); n++) cluster.fork();
else await import(`./${process.env['BENCH_PEER']}.mjs`);
