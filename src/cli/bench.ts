import { readFile } from 'node:fs/promises'
import { FileError, InputError } from '../core/errors'
import { BENCH_SCHEMA, formatComparison, parseReport } from '../experiment/bench/against'
import {
  type BenchRequest,
  checkBenchRequest,
  DEFAULT_BENCH,
  isBenchSize,
  SIZE_RULE,
} from '../experiment/bench/options'
import { type BenchReport, type BenchRow, formatBenchTable } from '../experiment/bench/report'
import { runBench } from '../experiment/bench/run-bench'
import { runInBrowser } from './bench-browser'
import { dawnRuntime, hostFacts } from './bench-host'
import { asUsage, type Command, EXIT, listOf, parse, type Terminal, UsageError, wholeNumber } from './command'
import { openNodeGpu } from './node-gpu'
import { checkOutputs, writeJson } from './output'

const MAX_ROUNDS = 1000

const help = `Usage: mxscope bench [options]

Times every kernel on the adapter at hand, beside a copy kernel and a naive matmul. Results are checked first; a kernel
with a wrong result is not timed. Runs on Dawn in Node, or in Chromium.

  --browser         in Chromium (a checkout with its development packages)
  --peers           also the matrix products of TF.js, ONNX Runtime Web and jax-js, of four bits too; implies --browser, and installs
                    what bench/package-lock.json names when it is not there
  --filter TEXT     only rows whose name contains TEXT, and what they are compared with
  --sizes N[,N...]  sizes of the N x N x N products; the largest gives the tensors N x 4N (default ${DEFAULT_BENCH.sizes.join(',')})
  --rotation N      size of the N x N tensor a full rotation is timed on (default 4096, software 1024)
  --layer N         size of the N x N layer of training steps (default 4096, software 256) and of idle overhead
                    (default 1024, on a GPU also 4096)
  --rounds N        interleaved rounds, of which the medians are reported (default ${DEFAULT_BENCH.rounds})
  --short           without whole methods, training steps and pipelines
  --json OUT        write the report as JSON; - is standard output
  --against FILE    also the ratios to an earlier report written with --json
`

const OPTIONS = {
  browser: { type: 'boolean' },
  peers: { type: 'boolean' },
  filter: { type: 'string' },
  sizes: { type: 'string' },
  rotation: { type: 'string' },
  layer: { type: 'string' },
  rounds: { type: 'string' },
  short: { type: 'boolean' },
  json: { type: 'string' },
  against: { type: 'string' },
} as const

const clock = {
  now: () => performance.now(),
  cpu: {
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    stepMs: 0,
  },
}

/** `--name N` as a size. */
function benchSize(name: string, text: string): number {
  if (/^\d+$/.test(text) && isBenchSize(Number(text))) return Number(text)
  throw new UsageError(`--${name}: expected ${SIZE_RULE}, found "${text}"`)
}

function benchSizes(text: string): number[] {
  const sizes = listOf(text).map((word) => benchSize('sizes', word))
  if (sizes.length === 0) throw new UsageError(`--sizes: expected ${SIZE_RULE}, found none`)
  return sizes
}

function requestOf(values: Readonly<Record<string, string | boolean | undefined>>): BenchRequest {
  const textOf = (key: string) => (typeof values[key] === 'string' ? values[key] : undefined)
  const sizeOf = (key: string) => {
    const text = textOf(key)
    return text === undefined ? null : benchSize(key, text)
  }
  const range = { min: 1, max: MAX_ROUNDS, fallback: DEFAULT_BENCH.rounds }
  const sizes = textOf('sizes')
  return {
    suite: values.short ? 'short' : 'full',
    filter: textOf('filter') ?? null,
    sizes: sizes === undefined ? DEFAULT_BENCH.sizes : benchSizes(sizes),
    rotation: sizeOf('rotation'),
    layer: sizeOf('layer'),
    rounds: wholeNumber('rounds', textOf('rounds'), range),
  }
}

async function readReport(path: string): Promise<BenchReport> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new FileError('FS-01', `${path}: cannot be read (${cause.message}).`, { cause })
  })
  return parseReport(text, path)
}

async function runInNode(request: BenchRequest, onRow: (row: BenchRow) => void): Promise<BenchReport> {
  const gpu = await openNodeGpu()
  const { signal } = new AbortController()
  return runBench({ ...request, gpu, clock, host: hostFacts(dawnRuntime()), peers: [], signal, onRow })
}

/** A filter that names nothing is known to be wrong only on a device; it is one of this command line all the same. */
function asUsageError(error: unknown): never {
  throw error instanceof InputError && error.code === 'BN-03' ? new UsageError(`--${error.message}`) : error
}

export const command: Command = {
  help,
  async run(args, terminal: Terminal) {
    const { values } = parse({ args: [...args], options: OPTIONS })
    const request = requestOf(values)
    asUsage(() => checkBenchRequest(request))
    // Looked at first: a run takes minutes.
    await checkOutputs(values.json)
    const earlier = values.against === undefined ? null : await readReport(values.against)
    const onRow = (row: BenchRow) => terminal.note(`${row.name}  ${row.shape}  done`)
    const peers = values.peers === true
    const run = peers || values.browser ? runInBrowser({ request, peers, onRow, terminal }) : runInNode(request, onRow)
    const report = await run.catch(asUsageError)
    if (values.json !== undefined) await writeJson(values.json, { schema: BENCH_SCHEMA, ...report }, terminal)
    if (values.json !== '-') {
      terminal.out(formatBenchTable(report))
      if (earlier) terminal.out(`\n${formatComparison(report, earlier)}`)
    }
    return EXIT.done
  },
}
