/** What it takes to compile the kernels of a run. */
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { createPipelineCache, type Kernel, type Overrides } from '../../gpu/pipeline-cache'
import { runComparison } from '../run-comparison'
import { COMPARED_METHODS, type ComparisonTime, requestOf, shortened, uploadLayer } from './comparison-cases'
import type { Entry } from './entry'

export const FIRST_PIPELINES = 'pipelines rtn'
export const ALL_PIPELINES = 'pipelines eight methods'
export const SLOWEST_PIPELINE = 'slowest pipeline'

/** A pipeline some run has asked for. */
export interface UsedPipeline {
  readonly kernel: Kernel
  readonly overrides: Overrides
}

/** Rows of the layer the kernels are collected on: which are used does not depend on how many there are. */
const TOKENS = 64

/** `gpu` with a list of the pipelines that are asked for through it, each once. */
function listening(gpu: Gpu): { readonly gpu: Gpu; readonly used: ReadonlyMap<string, UsedPipeline> } {
  const used = new Map<string, UsedPipeline>()
  const note = (kernel: Kernel, overrides: Overrides = {}) => {
    used.set(JSON.stringify([kernel.name, kernel.variant, overrides]), { kernel, overrides })
  }
  const pipelines = {
    get(kernel: Kernel, overrides?: Overrides) {
      note(kernel, overrides)
      return gpu.pipelines.get(kernel, overrides)
    },
    warm(kernel: Kernel, overrides?: Overrides) {
      note(kernel, overrides)
      return gpu.pipelines.warm(kernel, overrides)
    },
  }
  return { gpu: { ...gpu, pipelines }, used }
}

/** The pipelines a comparison of `methods` uses, in order of first use; one step of a learned method uses all of them. */
export async function pipelinesOf(
  gpu: Gpu,
  methods: readonly string[],
  time: ComparisonTime,
): Promise<readonly UsedPipeline[]> {
  const arena = new Arena(gpu)
  const listener = listening(gpu)
  try {
    const layer = uploadLayer(gpu, arena, TOKENS)
    await runComparison(layer, requestOf(methods.map(shortened)), { gpu: listener.gpu, ...time }, () => {})
  } finally {
    arena.release()
  }
  return [...listener.used.values()]
}

let compiled = 0

/** Compiles all of `uses` side by side, as texts that nobody has compiled before: no cache below us knows them. */
async function compile(gpu: Gpu, uses: readonly UsedPipeline[]): Promise<void> {
  compiled += 1
  const cache = createPipelineCache(gpu.device)
  const fresh = (kernel: Kernel) => ({ ...kernel, code: `${kernel.code}\n// ${compiled}` })
  await Promise.all(uses.map(({ kernel, overrides }) => cache.warm(fresh(kernel), overrides)))
}

async function slowestOf(gpu: Gpu, uses: readonly UsedPipeline[], now: () => number): Promise<UsedPipeline> {
  const times = []
  for (const use of uses) {
    const start = now()
    await compile(gpu, [use])
    times.push({ use, ms: now() - start })
  }
  return times.reduce((slowest, each) => (each.ms > slowest.ms ? each : slowest)).use
}

function creation(gpu: Gpu, name: string, { shape, uses }: { shape: string; uses: readonly UsedPipeline[] }): Entry {
  const run = async (repetitions: number) => {
    for (let i = 0; i < repetitions; i++) await compile(gpu, uses)
  }
  return { shape, work: null, subject: { name, longRounds: 3, run } }
}

const countOf = (uses: readonly UsedPipeline[]) => `${uses.length} pipelines`

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
