/** The groups of the benchmark: what is timed against one another, and with which baselines. */
import type { Arena } from '../../gpu/arena'
import { uploadMatrix } from '../../gpu/transfer'
import { COMPARISON_NAMES, comparisonCases } from './comparison-cases'
import type { BenchCase, Entry } from './entry'
import { gaussian } from './gaussian'
import { gptqCases } from './gptq-cases'
import { IDLE_OVERHEAD, idleRows } from './idle-rows'
import { type KernelCase, kernelSubject } from './kernel-subject'
import { MEMORY_NAMES, memoryRows } from './memory-rows'
import type { BenchOptions } from './options'
import { packedCases } from './packed-cases'
import { packedPeerCases, peerCase } from './peer'
import { ALL_PIPELINES, allPipelineCases, FIRST_PIPELINES, firstPipelineCase, SLOWEST_PIPELINE } from './pipeline-cases'
import { layerOperandsOf, operandsOf, type ProductShape, productCases, shapeText } from './product-cases'
import { quantizeCases } from './quantize-cases'
import { copyCase, reductionCases } from './reduction-cases'
import type { BenchRow } from './report'
import { trainingCases } from './training-cases'
import { hadamardCase, kroneckerCase, transformCases } from './transform-cases'

/** What is timed against one another: uploads its inputs into the arena when its turn comes. */
export interface TimedGroup {
  /** Its rows, where preparing them is work: then it is only done for one of them. */
  readonly names?: readonly string[]
  prepare(arena: Arena): Promise<readonly Entry[]>
}

/** What is counted rather than timed. */
export interface CountedGroup {
  readonly names: readonly string[]
  /** Those of them that `isWanted`. */
  count(isWanted: (name: string) => boolean): Promise<readonly BenchRow[]>
}

export type Group = TimedGroup | CountedGroup

/** The largest layer GPTQ is timed on: the float64 reference beside it takes seconds. */
const GPTQ_SIZE = 1024

/** Defaults of `rotation` and `layer`. */
const WIDTH = 4096
const SOFTWARE_ROTATION = 1024
const SOFTWARE_LAYER = 256
/** n of the n x n x n product that prices the operations of a rotation, at most. */
const PRICE = 2048
const SOFTWARE_PRICE = 512
/** Calibration rows of the layer that learned methods take their steps on, at most. */
const LAYER_TOKENS = 1024

/** Of a projection in a small transformer; left out where it is larger than the largest size asked for. */
const LAYER_SHAPE: ProductShape = { tokens: 1024, inDim: 768, outDim: 2048 }

/** No tile, block or vector divides it; beside it the nearest shape that all of them divide. */
const ODD_SHAPE: ProductShape = { tokens: 250, inDim: 333, outDim: 517 }
const EVEN_SHAPE: ProductShape = { tokens: 256, inDim: 320, outDim: 512 }

/** Of the built-in layer. */
const COMPARED_SHAPE = '256 x 256, 512 tokens'

function square(n: number): ProductShape {
  return { tokens: n, inDim: n, outDim: n }
}

function entriesOf(shape: string, cases: readonly BenchCase[]): Entry[] {
  return cases.map((one) => ({ ...one, shape }))
}

/** Kernel cases as entries of one shape. */
function kernels({ gpu }: BenchOptions, shape: string, cases: readonly KernelCase[]): Entry[] {
  return entriesOf(
    shape,
    cases.map((one) => ({ ...one, subject: kernelSubject(gpu, one) })),
  )
}

/** Our products of one shape, and those of every peer. */
function productGroup(options: BenchOptions, shape: ProductShape): TimedGroup {
  const { gpu, peers } = options
  return {
    prepare: async (arena) => {
      const { a, b } = operandsOf(shape)
      const others = peers.map((peer) => peerCase(peer, a, b))
      return [
        ...kernels(options, shapeText(shape), productCases(gpu, arena, shape)),
        ...entriesOf(shapeText(shape), others),
      ]
    },
  }
}

/** Products from packed codes beside those, ours and those of peers; the short suite has no time for them. */
function withPacked(options: BenchOptions, shape: ProductShape): TimedGroup {
  const products = productGroup(options, shape)
  if (options.suite === 'short') return products
  return {
    prepare: async (arena) => {
      const packed = kernels(options, shapeText(shape), packedCases(options.gpu, arena, shape))
      const { a, b } = layerOperandsOf(shape)
      const others = options.peers.flatMap((peer) => packedPeerCases(peer, a, b))
      return [...(await products.prepare(arena)), ...packed, ...entriesOf(shapeText(shape), others)]
    },
  }
}

/** What edges cost: the odd shape, and per operation the nearest even one. */
function oddGroup(options: BenchOptions): TimedGroup {
  const odd = productGroup(options, ODD_SHAPE)
  return {
    prepare: async (arena) => {
      const [even] = productCases(options.gpu, arena, EVEN_SHAPE)
      const beside = kernels(options, shapeText(EVEN_SHAPE), [{ ...even, baseline: undefined }])
      return [...(await odd.prepare(arena)), ...beside]
    },
  }
}

function productGroups(options: BenchOptions): Group[] {
  const { sizes } = options
  const hasLayer = Math.max(...sizes) >= LAYER_SHAPE.tokens
  const shapes = [...sizes.map(square), ...(hasLayer ? [LAYER_SHAPE] : [])]
  return [...shapes.map((shape) => withPacked(options, shape)), oddGroup(options)]
}

function tensorGroup(options: BenchOptions): TimedGroup {
  const { gpu, sizes } = options
  const rows = Math.max(...sizes)
  const cols = 4 * rows
  return {
    prepare: async (arena) => {
      const x = gaussian(rows, cols, 1)
      const matrix = uploadMatrix(gpu, arena, x, 'bench x')
      return kernels(options, `${rows} x ${cols}`, [
        copyCase(gpu, x, matrix),
        ...quantizeCases(gpu, arena, x, matrix),
        ...transformCases(gpu, x, matrix),
        ...reductionCases(gpu, arena, x, matrix),
      ])
    },
  }
}

/** Rotations of all channels beside the copy of their tensor; what is made of products also beside one, per operation. */
function rotationGroup(options: BenchOptions): TimedGroup {
  const { gpu } = options
  return {
    prepare: async (arena) => {
      const n = options.rotation ?? (gpu.adapter.isSoftware ? SOFTWARE_ROTATION : WIDTH)
      const x = gaussian(n, n, 6)
      const matrix = uploadMatrix(gpu, arena, x, 'bench x')
      const cases = [copyCase(gpu, x, matrix), hadamardCase(gpu, x, matrix), kroneckerCase(gpu, arena, x, matrix)]
      const product = square(Math.min(n, gpu.adapter.isSoftware ? SOFTWARE_PRICE : PRICE))
      const [priced] = productCases(gpu, arena, product)
      const beside = kernels(options, shapeText(product), [{ ...priced, name: 'product' }])
      return [...kernels(options, `${n} x ${n}`, cases), ...beside]
    },
  }
}

/** Methods on layers: stages, steps, whole comparisons. */
function methodGroups(options: BenchOptions): Group[] {
  const { gpu, sizes, signal } = options
  const gptq = async (arena: Arena) => {
    const n = Math.min(Math.max(...sizes), GPTQ_SIZE)
    const layer = { weight: gaussian(n, n, 4), x: gaussian(2 * n, n, 5) }
    return entriesOf(`${n} x ${n}, ${2 * n} tokens`, gptqCases(gpu, arena, layer, signal))
  }
  const training = async (arena: Arena) => {
    const n = options.layer ?? (gpu.adapter.isSoftware ? SOFTWARE_LAYER : WIDTH)
    const layer = { weight: gaussian(n, n, 7), x: gaussian(Math.min(n, LAYER_TOKENS), n, 8) }
    return entriesOf(`${n} x ${n}, ${layer.x.rows} tokens`, trainingCases(gpu, arena, layer, signal))
  }
  const time = { now: options.clock.now, signal }
  const comparison = async (arena: Arena) => entriesOf(COMPARED_SHAPE, comparisonCases(gpu, arena, time))
  const memory: CountedGroup = {
    names: MEMORY_NAMES,
    count: (isWanted) => memoryRows(gpu, { shape: COMPARED_SHAPE, isWanted, time }),
  }
  const idle: CountedGroup = { names: [IDLE_OVERHEAD], count: () => idleRows(gpu, options.layer, time) }
  return [{ prepare: gptq }, { prepare: training }, memory, { names: COMPARISON_NAMES, prepare: comparison }, idle]
}

/** In the order in which they are run. Pipelines come last: finding them compiles what the other groups compile too. */
export function groupsOf(options: BenchOptions): Group[] {
  const { gpu, clock, signal } = options
  const time = { now: clock.now, signal }
  const pipelines: Group[] = [
    { names: [FIRST_PIPELINES], prepare: () => firstPipelineCase(gpu, time) },
    { names: [ALL_PIPELINES, SLOWEST_PIPELINE], prepare: () => allPipelineCases(gpu, time) },
  ]
  const kernelGroups = [tensorGroup(options), rotationGroup(options), ...productGroups(options)]
  return options.suite === 'short' ? kernelGroups : [...kernelGroups, ...methodGroups(options), ...pipelines]
}
