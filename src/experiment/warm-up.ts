/**
 * Compiles what a comparison will use before it is used: while the layer is read, and while earlier methods run. What that
 * is comes from a rehearsal of the same code (gpu/rehearsal.ts), so that it holds for every method without a list.
 */
import { completeOptions, type OptionValues } from '../core/options'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { type PipelineUse, pipelineKey } from '../gpu/pipeline-cache'
import { createRehearsal } from '../gpu/rehearsal'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import type { ComparisonRequest, MethodChoice, Setting } from './request'
import type { LayerFacts } from './result'
import { type ComparisonContext, type ComparisonLayer, type Ready, runComparison } from './run-comparison'

/** The shape of a layer, known before it is read. */
export type RehearsedLayer = Pick<
  LayerFacts,
  'outDim' | 'inDim' | 'calibrationTokens' | 'evaluationTokens' | 'sameRows'
>

/**
 * Pipelines compiled at a time, in order of first use. Enough to keep the compilers of a driver busy; a software adapter
 * compiles on the processor, where more would only delay the first of them (docs/performance.md, "Runtime").
 */
const AT_A_TIME = 4

/** Which kernels are used does not depend on how many rows the weight has beyond these, but where heads of it are rounded. */
const REHEARSED_ROWS = 256

/** One step of a learned method uses all its kernels. */
const STEPS_OPTION = 'steps'

/** One method under one setting. */
interface RehearsedCell {
  readonly setting: Setting
  readonly choice: MethodChoice
}

/**
 * The pipelines that a run of `request` on a layer of this shape asks for, each once, in order of first use. Work of a few
 * milliseconds for a method, of tenths of a second where its own work on the CPU is that much. Throws what the run would.
 */
export async function rehearse(
  shape: RehearsedLayer,
  request: ComparisonRequest,
  { gpu, signal }: Pick<ComparisonContext, 'gpu' | 'signal'>,
): Promise<readonly PipelineUse[]> {
  const used = new Map<string, PipelineUse>()
  const rehearsal = createRehearsal(gpu, (use) => {
    const key = pipelineKey(use)
    if (!used.has(key)) used.set(key, use)
  })
  const methods = request.methods.map(({ id, options }) => ({ id, options: shortened(id, options) }))
  const context = { gpu: rehearsal, signal, now: () => 0 }
  await runComparison(idleLayer(rehearsal, shape, request), { ...request, methods }, context, () => {})
  return [...used.values()]
}

/** `options` with a single step, where the method has steps. */
function shortened(id: string, options: OptionValues): OptionValues {
  const method = methodById(id)
  const has = optionsOf(method).some(({ key }) => key === STEPS_OPTION)
  const chosen = completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), options)
  return has && chosen[STEPS_OPTION] !== 0 ? { ...options, [STEPS_OPTION]: 1 } : options
}

/** A layer of that shape with nothing in it. */
function idleLayer(gpu: Gpu, shape: RehearsedLayer, { settings }: ComparisonRequest): ComparisonLayer {
  const { outDim, inDim, calibrationTokens, evaluationTokens, sameRows } = shape
  const arena = new Arena(gpu)
  const hasHeads = settings.some(({ outputFormat }) => outputFormat !== null)
  const calibration = arena.matrix(calibrationTokens, inDim, 'rehearsed x')
  return {
    name: 'rehearsal',
    weight: arena.matrix(hasHeads ? outDim : Math.min(outDim, REHEARSED_ROWS), inDim, 'rehearsed w'),
    calibration,
    evaluation: sameRows ? calibration : arena.matrix(evaluationTokens, inDim, 'rehearsed x'),
    weightBits: 32,
  }
}

/**
 * Begins to compile what the cells of `request` use, the first cell first, and returns what says when those of a cell are
 * there: it rejects with GpuError GP-05 where the device refuses one of them. Nothing is begun any more once the signal is
 * aborted. What a rehearsal misses is compiled where it is first used, as without one.
 */
export function warmUp(
  shape: RehearsedLayer,
  request: ComparisonRequest,
  context: Pick<ComparisonContext, 'gpu' | 'signal'>,
): Ready {
  const queue = createQueue(context)
  const cells = request.settings.flatMap((setting) => request.methods.map((choice) => ({ setting, choice })))
  const ready = new Map<string, Promise<unknown>>()
  let last: Promise<unknown> = Promise.resolve()
  for (const cell of cells) {
    const rehearsed = last.then(() => usesOf(shape, { request, cell }, context))
    const compiling = rehearsed.then((uses) => uses.map(queue.compile))
    const compiled = compiling.then((pipelines) => Promise.all(pipelines))
    compiled.catch(() => {}) // heard by the cell, if it comes to that
    ready.set(cellKey(methodById(cell.choice.id).id, cell.setting.id), compiled)
    // The next rehearsal waits until all of these are begun: it takes time on the thread that also starts the run.
    last = compiling.then(queue.begun)
  }
  return async ({ method, setting }) => {
    await ready.get(cellKey(method, setting))
  }
}

const cellKey = (method: string, setting: string) => `${method} ${setting}`

/** The pipelines of one cell; none where its rehearsal ends with an error: the run ends with it, too, and says so. */
async function usesOf(
  shape: RehearsedLayer,
  { request, cell: { setting, choice } }: { readonly request: ComparisonRequest; readonly cell: RehearsedCell },
  context: Pick<ComparisonContext, 'gpu' | 'signal'>,
): Promise<readonly PipelineUse[]> {
  // The event loop has a turn between two rehearsals, for what the pipelines before and the layer have to say.
  await new Promise<void>((resolve) => setTimeout(resolve))
  if (context.signal.aborted) return []
  return rehearse(shape, { ...request, settings: [setting], methods: [choice] }, context).catch(() => [])
}

/** Compiles AT_A_TIME pipelines at once, in the order they come; those of an aborted signal are left out. */
function createQueue({ gpu, signal }: Pick<ComparisonContext, 'gpu' | 'signal'>) {
  const waiting: (() => void)[] = []
  let running = 0
  let latest = Promise.resolve()
  const turn = () => {
    if (running === AT_A_TIME) return new Promise<void>((resolve) => waiting.push(resolve))
    running += 1
    return Promise.resolve()
  }
  const ended = () => {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
  return {
    async compile({ kernel, overrides }: PipelineUse): Promise<void> {
      const begins = turn()
      latest = begins
      await begins
      try {
        if (!signal.aborted) await gpu.pipelines.warm(kernel, overrides)
      } finally {
        ended()
      }
    },
    /** Settles when the last one that has come is begun. */
    begun: () => latest,
  }
}
