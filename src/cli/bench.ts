import { InputError } from '../core/errors'
import { type BenchRow, formatBenchTable } from '../experiment/bench/report'
import { DEFAULT_BENCH_ROUNDS, DEFAULT_BENCH_SIZES, runBench } from '../experiment/bench/run-bench'
import { type Command, EXIT, listOf, parse, UsageError, wholeNumber } from './command'
import { openNodeGpu } from './node-gpu'
import { writeJson } from './output'

const MAX_ROUNDS = 1000

const help = `Usage: mxscope bench [options]

Times every kernel on the adapter at hand, beside a copy kernel and a naive matmul. Results are checked first; a kernel
with a wrong result is not timed.

  --filter TEXT     only kernels whose name contains TEXT, and what they are compared with
  --sizes N[,N...]  sizes of the N x N x N products; the largest gives the tensors N x 4N (default ${DEFAULT_BENCH_SIZES.join(',')})
  --rotation N      size of the N x N tensor a full rotation is timed on (default 4096, software 1024)
  --layer N         size of the N x N layer training steps are timed on (default 4096, software 256)
  --rounds N        interleaved rounds, of which the medians are reported (default ${DEFAULT_BENCH_ROUNDS})
  --json OUT        write the report as JSON; - is standard output
`

const OPTIONS = {
  filter: { type: 'string' },
  sizes: { type: 'string' },
  rotation: { type: 'string' },
  layer: { type: 'string' },
  rounds: { type: 'string' },
  json: { type: 'string' },
} as const

const clock = {
  now: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
}

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args: [...args], options: OPTIONS })
    const range = { min: 1, max: MAX_ROUNDS, fallback: DEFAULT_BENCH_ROUNDS }
    const rounds = wholeNumber('rounds', values.rounds, range)
    const sizes = values.sizes === undefined ? DEFAULT_BENCH_SIZES : listOf(values.sizes).map(Number)
    const numberOrNull = (text: string | undefined) => (text === undefined ? null : Number(text))
    const [rotation, layer] = [values.rotation, values.layer].map(numberOrNull)
    const filter = values.filter ?? null
    const { signal } = new AbortController()
    const gpu = await openNodeGpu()
    const onRow = (row: BenchRow) => terminal.note(`${row.name}  ${row.shape}  done`)
    // What it refuses are the options of this command line.
    const report = await runBench({ gpu, clock, filter, sizes, rotation, layer, rounds, signal, onRow }).catch(
      (error) => {
        throw error instanceof InputError ? new UsageError(error.message) : error
      },
    )
    if (values.json !== undefined) await writeJson(values.json, { schema: 'mxscope.bench/1', ...report }, terminal)
    if (values.json !== '-') terminal.out(formatBenchTable(report))
    return EXIT.done
  },
}
