/** A layer larger than one buffer, loaded as rows of the weight and tokens of the activations that each fit one. */
import type { Matrix } from '../core/matrix'
import { Arena } from '../gpu/arena'
import { type GpuMatrix, matrixBytes, STRIDE_MULTIPLE } from '../gpu/gpu-matrix'
import { copyColumns } from '../gpu/kernels/copy-columns'
import { transpose } from '../gpu/kernels/transpose'
import { Recorder } from '../gpu/recorder'
import { uploadMatrix } from '../gpu/transfer'
import { addNonFinite, checkFinite, NO_NON_FINITE, type NonFiniteCounts } from '../io/non-finite'
import { generateActivations } from '../io/synthetic'
import type { RowRange } from '../io/tensor-view'
import { type LayerOutline, type LayerSources, readGain } from './load-layer'
import { type LoadContext, type TensorSource, uploadRows } from './load-tensor'
import type { PiecePlan } from './pieces'
import type { LayerFacts } from './result'

/** The layer under study in pieces; both sets of rows are the same object when errors are measured on calibration rows. */
export interface PiecewiseLayer {
  /** Name of the weight's tensor. */
  readonly name: string
  /** Rows of W in order, [plan.weightRows, in] and a last one. */
  readonly weight: readonly GpuMatrix[]
  /** Rows of X in order, [plan.tokenRows, in] and a last one. */
  readonly calibration: readonly GpuMatrix[]
  readonly evaluation: readonly GpuMatrix[]
  readonly weightBits: number
  readonly facts: LayerFacts
  readonly plan: PiecePlan
}

/** `range` cut into runs of `rows`. */
function runsOf({ start, end }: RowRange, rows: number): RowRange[] {
  const runs: RowRange[] = []
  for (let first = start; first < end; first += rows) runs.push({ start: first, end: Math.min(first + rows, end) })
  return runs
}

/** Rows of a tensor in pieces. Throws what uploadRows throws, and TS-04 once all have been seen. */
async function loadRowPieces(
  from: TensorSource,
  { range, rows }: { readonly range: RowRange; readonly rows: number },
  context: LoadContext,
): Promise<GpuMatrix[]> {
  const pieces: GpuMatrix[] = []
  let counts: NonFiniteCounts = NO_NON_FINITE
  let seen = 0
  for (const run of runsOf(range, rows)) {
    const { matrix, nonFinite } = await uploadRows(from, run, context)
    counts = addNonFinite(counts, nonFinite, seen)
    seen += matrix.rows * matrix.cols
    pieces.push(matrix)
  }
  checkFinite(from.tensor, counts, { startRow: range.start, count: seen })
  return pieces
}

/** A weight stored as [in, out]: a few of its rows at a time are columns of every piece. */
async function loadTurned(
  weight: TensorSource,
  { facts: { inDim, outDim }, plan }: { readonly facts: LayerFacts; readonly plan: PiecePlan },
  { gpu, arena, signal }: LoadContext,
): Promise<GpuMatrix[]> {
  const runs = runsOf({ start: 0, end: outDim }, plan.weightRows)
  const pieces = runs.map(({ start, end }) => arena.matrix(end - start, inDim, 'rows of a turned weight'))
  const most = Math.floor(plan.limitBytes / matrixBytes(1, outDim))
  const rows = Math.max(STRIDE_MULTIPLE, most - (most % STRIDE_MULTIPLE))
  let counts: NonFiniteCounts = NO_NON_FINITE
  for (const run of runsOf({ start: 0, end: inDim }, rows)) {
    const passing = new Arena(gpu)
    try {
      const { matrix, nonFinite } = await uploadRows(weight, run, { gpu, arena: passing, signal })
      counts = addNonFinite(counts, nonFinite, run.start * outDim)
      const recorder = new Recorder(gpu)
      const turned = transpose(recorder, passing, matrix)
      const rowBytes = 4 * turned.stride
      for (const [index, { start, end }] of runs.entries()) {
        const part = passing.matrix(end - start, turned.cols, 'some rows of it')
        recorder.copy(turned.buffer, part.buffer, part.rows * rowBytes, { from: start * rowBytes })
        copyColumns(recorder, part, pieces[index], { from: 0, to: run.start, cols: turned.cols })
      }
      recorder.submit()
    } finally {
      passing.release()
    }
  }
  checkFinite(weight.tensor, counts, { startRow: 0, count: inDim * outDim })
  return pieces
}

function uploadPieces(all: Matrix, { start, end }: RowRange, rows: number, { gpu, arena }: LoadContext): GpuMatrix[] {
  return runsOf({ start, end }, rows).map((run) => {
    const data = all.data.subarray(run.start * all.cols, run.end * all.cols)
    return uploadMatrix(gpu, arena, { rows: run.end - run.start, cols: all.cols, data }, 'synthetic rows')
  })
}

async function loadActivations(
  { activations }: LayerSources,
  { calibration, evaluation, facts }: LayerOutline,
  rows: number,
  context: LoadContext,
): Promise<Pick<PiecewiseLayer, 'calibration' | 'evaluation'>> {
  if (activations.kind === 'synthetic') {
    const { spec, gain } = activations
    const all = generateActivations(spec, facts.inDim, gain && (await readGain(gain, facts.inDim)))
    context.signal.throwIfAborted()
    const first = uploadPieces(all, calibration, rows, context)
    return { calibration: first, evaluation: facts.sameRows ? first : uploadPieces(all, evaluation, rows, context) }
  }
  const first = await loadRowPieces(activations.calibration, { range: calibration, rows }, context)
  if (facts.sameRows) return { calibration: first, evaluation: first }
  const from = activations.evaluation ?? activations.calibration
  return { calibration: first, evaluation: await loadRowPieces(from, { range: evaluation, rows }, context) }
}

/** Uploads the layer that `outline` describes as `plan` cuts it. Throws as loadLayer does. */
export async function loadPieces(
  sources: LayerSources,
  { outline, plan }: { readonly outline: LayerOutline; readonly plan: PiecePlan },
  context: LoadContext,
): Promise<PiecewiseLayer> {
  const { facts, weightBits, turned } = outline
  const range = { start: 0, end: facts.outDim }
  const weight = turned
    ? await loadTurned(sources.weight, { facts, plan }, context)
    : await loadRowPieces(sources.weight, { range, rows: plan.weightRows }, context)
  const rows = await loadActivations(sources, outline, plan.tokenRows, context)
  return { name: facts.name, weight, ...rows, weightBits, facts, plan }
}
