/** Whole comparisons on the built-in layer of random numbers, as the page and the headless command run them. */
import type { Matrix } from '../../core/matrix'
import { STANDARD_MX } from '../../formats/quantizer'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { uploadMatrix } from '../../gpu/transfer'
import { DEFAULT_SYNTHETIC, generateActivations } from '../../io/synthetic'
import { methodById } from '../../methods/registry'
import { optionsOf } from '../catalog'
import type { ComparisonRequest, MethodChoice } from '../request'
import type { MethodOutcome } from '../result'
import { type ComparisonLayer, runComparison } from '../run-comparison'
import { parseSetting } from '../settings'
import type { BenchCase } from './entry'
import { gaussian } from './gaussian'

/** One of every kind: rounding, channel scales, compensation, low rank, rotations fixed and learned, affine maps. */
export const COMPARED_METHODS = [
  ...['rtn', 'smoothquant', 'awq', 'gptq', 'low-rank', 'quarot', 'spinquant', 'flatquant'],
] as const

export const COMPARISON_NAMES = ['compare rtn', 'compare eight methods'] as const

/** Of the layer: weight [CHANNELS, CHANNELS], N(0, 1) / √CHANNELS. */
export const CHANNELS = 256
const WEIGHT_SEED = 1

export interface ComparisonTime {
  readonly now: () => number
  readonly signal: AbortSignal
}

/** The tensors of public/layers/synthetic-outliers.safetensors, made again: a worker and Node have no file of the page. */
export function builtInLayer(tokens: number = DEFAULT_SYNTHETIC.tokens): { weight: Matrix; activations: Matrix } {
  const { rows, cols, data } = gaussian(CHANNELS, CHANNELS, WEIGHT_SEED)
  const weight = { rows, cols, data: data.map((value) => value / Math.sqrt(CHANNELS)) }
  return { weight, activations: generateActivations({ ...DEFAULT_SYNTHETIC, tokens }, CHANNELS) }
}

/** The same on the GPU, errors measured on the calibration rows. */
export function uploadLayer(gpu: Gpu, arena: Arena, tokens?: number): ComparisonLayer {
  const { weight, activations } = builtInLayer(tokens)
  const calibration = uploadMatrix(gpu, arena, activations, 'bench x')
  return {
    name: 'layer.weight',
    weight: uploadMatrix(gpu, arena, weight, 'bench w'),
    calibration,
    evaluation: calibration,
    weightBits: 32,
  }
}

/** W4A4 with everything at its default but the options given. */
export function requestOf(methods: readonly MethodChoice[]): ComparisonRequest {
  return { ...STANDARD_MX, settings: [parseSetting('W4A4')], methods, seed: 0, headDim: null, scaleAnalysis: false }
}

/** A method at its defaults, a learned one with a single step. */
export function shortened(id: string): MethodChoice {
  const hasSteps = optionsOf(methodById(id)).some(({ key }) => key === 'steps')
  return { id, options: hasSteps ? { steps: 1 } : {} }
}

/** RTN alone, and one method of every kind, from layer to error numbers; a method that fails refuses the row. */
export function comparisonCases(gpu: Gpu, arena: Arena, time: ComparisonTime): BenchCase[] {
  const layer = uploadLayer(gpu, arena)
  const compare = (name: string, ids: readonly string[], longRounds?: number): BenchCase => {
    let outcomes: MethodOutcome[] = []
    const request = requestOf(ids.map((id) => ({ id, options: {} })))
    const once = async () => {
      outcomes = []
      await runComparison(layer, request, { gpu, ...time }, (event) => {
        if (event.kind === 'outcome') outcomes.push(event.outcome)
      })
    }
    return {
      work: null,
      subject: {
        name,
        longRounds,
        run: async (repetitions) => {
          for (let i = 0; i < repetitions; i++) await once()
        },
        // Of the run before, which is as good as another.
        verify: async () => {
          const failed = outcomes.find(({ kind }) => kind === 'failure')
          if (failed?.kind === 'failure') return `${failed.method}: ${failed.error.message}`
          return outcomes.length === ids.length ? null : `expected ${ids.length} results, found ${outcomes.length}`
        },
      },
    }
  }
  const [first, all] = COMPARISON_NAMES
  return [compare(first, ['rtn']), compare(all, COMPARED_METHODS, 1)]
}
