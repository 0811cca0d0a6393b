/** GPTQ of one layer, stage by stage, beside the same in float64 on the CPU. */
import type { Matrix } from '../../core/matrix'
import { parseFormat } from '../../formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../formats/quantizer'
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { uploadMatrix } from '../../gpu/transfer'
import { factorHessian, factorPlace } from '../../methods/gptq/factor'
import { gatherHessian } from '../../methods/gptq/hessian'
import { processingOrder } from '../../methods/gptq/order'
import { quantizeWithGptq } from '../../methods/gptq/quantize-weight'
import type { BenchCase } from './entry'
import { gptqReference } from './gptq-reference'
import { layerProductCase } from './layer-product-case'

const DAMPING = 0.01
/**
 * How far the two objectives may lie apart: both sum the same squares, but a code that f32 decides otherwise sends all
 * later columns another way.
 */
const OBJECTIVE_TOLERANCE = 0.01

const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const choices = { quantizer, scales: 'fresh', order: 'natural', damping: DAMPING } as const

/**
 * Stages of GPTQ on `weight` [out, in] with calibration rows `x` [tokens, in], each run from where the one before ends;
 * inputs live in `arena`, beside the layer's product, whose rate prices them. Operations are those of the cost model: tokens · in², in³ (factor and inverse), out · in².
 */
export function gptqCases(
  gpu: Gpu,
  arena: Arena,
  { weight, x }: { readonly weight: Matrix; readonly x: Matrix },
  signal: AbortSignal,
): BenchCase[] {
  const [w, calibration] = [uploadMatrix(gpu, arena, weight, 'bench w'), uploadMatrix(gpu, arena, x, 'bench x')]
  const context = (owner: Arena) => ({ gpu, arena: owner, signal, seed: 0, onProgress: () => {} })
  const place = factorPlace(gpu, weight.cols, DAMPING)
  const hessian = (owner: Arena) => gatherHessian(calibration, context(owner))
  const factor = async (owner: Arena, statistics: Awaited<ReturnType<typeof hessian>>) => {
    const order = processingOrder('natural', statistics.diagonal, quantizer.family === 'mx' ? quantizer.blockSize : 1)
    return factorHessian(statistics, { order, damping: DAMPING, form: 'inverse', place }, context(owner))
  }
  const whole = (owner: Arena) => quantizeWithGptq(w, () => hessian(owner), choices, context(owner))

  const timed = (name: string, operations: number, run: (owner: Arena) => Promise<unknown>): BenchCase => ({
    subject: { name, run: (repetitions) => repeated(gpu, repetitions, run) },
    work: { kind: 'operations', operations },
  })
  const { cols: inDim, rows: outDim } = weight
  const gramOperations = x.rows * inDim ** 2
  const factorOperations = (2 * inDim ** 3) / 3
  const all = gramOperations + factorOperations + outDim * inDim ** 2
  let kept: Promise<Awaited<ReturnType<typeof hessian>>> | null = null
  const statistics = () => {
    kept ??= hessian(arena)
    return kept
  }
  const gptq = timed('gptq', all, whole)
  const reference = timed('gptq float64', all, () => gptqReference(weight, x, signal))
  return [
    layerProductCase(gpu, { calibration, weight: w }, { weight, x }),
    timed('gptq gram', gramOperations, hessian),
    timed('gptq factor', factorOperations, async (owner) => factor(owner, await statistics())),
    { ...gptq, subject: { ...gptq.subject, verify: () => compareObjectives(gpu, whole, { weight, x }, signal) } },
    { ...reference, subject: { ...reference.subject, longRounds: 2 } },
  ]
}

async function repeated(gpu: Gpu, repetitions: number, run: (owner: Arena) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < repetitions; i++) {
    const owner = new Arena(gpu)
    try {
      await run(owner)
      await gpu.device.queue.onSubmittedWorkDone()
    } finally {
      owner.release()
    }
  }
}

/** Null when the GPU's objective is that of the float64 reference. */
async function compareObjectives(
  gpu: Gpu,
  whole: (owner: Arena) => ReturnType<typeof quantizeWithGptq>,
  { weight, x }: { readonly weight: Matrix; readonly x: Matrix },
  signal: AbortSignal,
): Promise<string | null> {
  const owner = new Arena(gpu)
  try {
    const { objective: found } = await whole(owner)
    const { objective: expected } = await gptqReference(weight, x, signal)
    const isClose = found !== null && Math.abs(found / expected - 1) <= OBJECTIVE_TOLERANCE
    return isClose ? null : `objective: expected ${expected}, found ${found}`
  } finally {
    owner.release()
  }
}
