/** What it takes to compile the kernels of a run. */
import type { Gpu } from '../../gpu/device'
import { createPipelineCache, type Kernel, type PipelineUse } from '../../gpu/pipeline-cache'
import { DEFAULT_SYNTHETIC } from '../../io/synthetic'
import { type RehearsedLayer, rehearse } from '../warm-up'
import { CHANNELS, COMPARED_METHODS, type ComparisonTime, requestOf } from './comparison-cases'
import type { Entry } from './entry'

export const FIRST_PIPELINES = 'pipelines rtn'
export const ALL_PIPELINES = 'pipelines eight methods'
export const SLOWEST_PIPELINE = 'slowest pipeline'

/** The built-in layer; which pipelines are used does not depend on how many rows it has. */
const SHAPE: RehearsedLayer = {
  outDim: CHANNELS,
  inDim: CHANNELS,
  calibrationTokens: DEFAULT_SYNTHETIC.tokens,
  evaluationTokens: DEFAULT_SYNTHETIC.tokens,
  sameRows: true,
}

/** The pipelines a comparison of `methods` uses, in order of first use. */
const pipelinesOf = (gpu: Gpu, methods: readonly string[], { signal }: ComparisonTime) =>
  rehearse(SHAPE, requestOf(methods.map((id) => ({ id, options: {} }))), { gpu, signal })

let compiled = 0

/** Compiles all of `uses` side by side, as texts that nobody has compiled before: no cache below us knows them. */
async function compile(gpu: Gpu, uses: readonly PipelineUse[]): Promise<void> {
  compiled += 1
  const cache = createPipelineCache(gpu.device)
  const fresh = (kernel: Kernel) => ({ ...kernel, code: `${kernel.code}\n// ${compiled}` })
  await Promise.all(uses.map(({ kernel, overrides }) => cache.warm(fresh(kernel), overrides)))
}

async function slowestOf(gpu: Gpu, uses: readonly PipelineUse[], now: () => number): Promise<PipelineUse> {
  const times = []
  for (const use of uses) {
    const start = now()
    await compile(gpu, [use])
    times.push({ use, ms: now() - start })
  }
  return times.reduce((slowest, each) => (each.ms > slowest.ms ? each : slowest)).use
}

function creation(gpu: Gpu, name: string, { shape, uses }: { shape: string; uses: readonly PipelineUse[] }): Entry {
  const run = async (repetitions: number) => {
    for (let i = 0; i < repetitions; i++) await compile(gpu, uses)
  }
  return { shape, work: null, subject: { name, longRounds: 3, run } }
}

const countOf = (uses: readonly PipelineUse[]) => `${uses.length} pipelines`

/** Creating the pipelines of the first result. */
export async function firstPipelineCase(gpu: Gpu, time: ComparisonTime): Promise<Entry[]> {
  const uses = await pipelinesOf(gpu, ['rtn'], time)
  return [creation(gpu, FIRST_PIPELINES, { shape: countOf(uses), uses })]
}

/** Creating the pipelines of one method of every kind, and the one of them that takes longest. */
export async function allPipelineCases(gpu: Gpu, time: ComparisonTime): Promise<Entry[]> {
  const uses = await pipelinesOf(gpu, COMPARED_METHODS, time)
  const slowest = await slowestOf(gpu, uses, time.now)
  const { name, variant } = slowest.kernel
  const shape = variant === undefined ? name : `${name} ${variant}`
  return [
    creation(gpu, ALL_PIPELINES, { shape: countOf(uses), uses }),
    creation(gpu, SLOWEST_PIPELINE, { shape, uses: [slowest] }),
  ]
}
