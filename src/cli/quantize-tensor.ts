/** One tensor of a file, quantized as the command line of `mxscope quantize` has it. */
import { type ExportPlan, type ExportSubject, quantizeToFile } from '../experiment/export-layer'
import type { ExportedLayer } from '../experiment/export-request'
import { loadLayer } from '../experiment/load-layer'
import { uploadRows } from '../experiment/load-tensor'
import { settingOf } from '../experiment/settings'
import { formatText } from '../formats/format-text'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { checkFinite, describeNonFinite, type NonFiniteCounts } from '../io/non-finite'
import { matrixShape } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { methodById } from '../methods/registry'
import type { Terminal } from './command'
import type { LayerArguments } from './layer-arguments'
import { activationsFor, type OpenFiles } from './module-activations'
import { noteProgress, sourcesOf } from './open-layer'
import { describeQuantizer, type QuantizeArguments } from './quantize-arguments'
import type { WeightMethod } from './quantize-method-arguments'

/** What is done to every tensor. */
export function planOf({ choice, quantizer, activation, layout, method }: QuantizeArguments): ExportPlan {
  const formats = {
    weightFormat: formatText(choice),
    activationFormat: activation && formatText(activation.choice),
    outputFormat: null,
  }
  const about = activation && describeQuantizer(activation.choice, activation.quantizer)
  return {
    method: method?.method ?? methodById('rtn'),
    options: method?.options ?? {},
    seed: method?.seed ?? 0,
    headDim: null,
    weightQuantizer: quantizer,
    activationQuantizer: activation?.quantizer ?? null,
    layout,
    facts: {
      // Plain rounding has to do with one tensor; there is no setting to speak of.
      ...(method && { setting: settingOf(formats).id }),
      ...formats,
      weight: describeQuantizer(choice, quantizer),
      activation: about,
    },
  }
}

/** The activation tensor a captured `method` calibrates `weight` on; null for synthetic ones. Throws InputError TS-06. */
export function activationsOf(files: OpenFiles, weight: TensorView, { activations }: WeightMethod): TensorView | null {
  return activations.kind === 'synthetic' ? null : activationsFor(files, weight, activations.name)
}

function layerArguments(files: OpenFiles, weight: TensorView, method: WeightMethod): LayerArguments {
  const { activations } = method
  const rows = activationsOf(files, weight, method)
  return {
    file: files.file.source.name,
    weight: weight.name,
    activations: activations.kind === 'synthetic' ? activations : { kind: 'captured', tensor: rows?.name ?? '' },
    activationsFile: null,
    evaluation: null,
    heldOutShare: 0,
    firstToken: 0,
    tokens: null,
  }
}

const NONE: NonFiniteCounts = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null }

interface Loaded {
  readonly subject: ExportSubject
  readonly nonFinite: NonFiniteCounts
  readonly notes: readonly string[]
}

/** A weight with its rows, or any tensor without. */
async function load(
  files: OpenFiles,
  tensor: TensorView,
  { method, layout }: QuantizeArguments,
  context: { readonly gpu: Gpu; readonly arena: Arena; readonly signal: AbortSignal },
): Promise<Loaded> {
  if (method) {
    const parsed = layerArguments(files, tensor, method)
    const { facts, ...layer } = await loadLayer(sourcesOf(files.file, files.activations, parsed), context)
    return { subject: layer, nonFinite: NONE, notes: facts.notes ?? [] }
  }
  const isPacked = !layout.startsWith('dequantized')
  const rows = isPacked
    ? matrixShape(tensor, 'weight').rows
    : tensor.shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
  const from = { source: files.file.source, tensor }
  const { matrix, nonFinite } = await uploadRows(from, { start: 0, end: rows }, context)
  // Scales that stand for NaN decode to NaN, but not to the same bits everywhere.
  if (isPacked) checkFinite(tensor, nonFinite, { startRow: 0, count: matrix.rows * matrix.cols })
  const warning = describeNonFinite(tensor, nonFinite)
  const { name, shape } = tensor
  return {
    subject: { name, weight: matrix, calibration: null, turned: false, shape },
    nonFinite,
    notes: warning ? [`warning: ${warning}`] : [],
  }
}

/** What the report says of a tensor; plain data that goes into the file, too. */
export interface TensorReport {
  readonly name: string
  readonly shape: readonly number[]
  readonly sqnrDb: number | null
  readonly clippedPercent: number | null
  readonly flushedPercent: number | null
  readonly bitsPerElement: number
  readonly nonFiniteCount: number
  /** Of the output, on the rows the method was fitted on. */
  readonly calibration: ExportedLayer['errors']['calibration']
  /** The rows, in words; null without. */
  readonly activations: string | null
  /** Tensors in the file, beside the weight and its parts. */
  readonly beside: readonly string[]
  readonly warnings: readonly string[]
  readonly notes: readonly string[]
}

/** That nothing was lost, and why it may be so. */
function exactNotes({ name, storage }: TensorView, sqnrDb: number | null): string[] {
  if (sqnrDb !== Infinity) return []
  const stored = storage?.kind === 'packed' ? ` It is stored as ${storage.layout}.` : ''
  return [
    `"${name}": no error, the SQNR is infinite: every value is one of the format, as when it was quantized to it before.${stored}`,
  ]
}

/** Quantizes one tensor: the file with it alone, and what to say about it. */
export async function quantizeTensor(
  files: OpenFiles,
  tensor: TensorView,
  { parsed, gpu, terminal }: { readonly parsed: QuantizeArguments; readonly gpu: Gpu; readonly terminal: Terminal },
): Promise<{ readonly exported: ExportedLayer; readonly report: TensorReport }> {
  const arena = new Arena(gpu)
  const { signal } = new AbortController()
  try {
    const { subject, nonFinite, notes } = await load(files, tensor, parsed, { gpu, arena, signal })
    const exported = await quantizeToFile(subject, planOf(parsed), {
      gpu,
      signal,
      onProgress: (progress) => noteProgress(tensor.name, progress, terminal),
    })
    const { weight, calibration } = exported.errors
    const { nan, positiveInfinity, negativeInfinity } = nonFinite
    const beside = exported.tensors.filter(({ role }) => role !== 'weight').map(({ name }) => name)
    const rows = parsed.method && activationsOf(files, tensor, parsed.method)
    return {
      exported,
      report: {
        name: tensor.name,
        shape: tensor.shape,
        sqnrDb: weight?.sqnrDb ?? null,
        clippedPercent: weight?.clippedPercent ?? null,
        flushedPercent: weight?.flushedPercent ?? null,
        bitsPerElement: exported.bitsPerElement,
        nonFiniteCount: nan + positiveInfinity + negativeInfinity,
        calibration,
        activations: parsed.method ? (rows?.name ?? 'synthetic') : null,
        beside,
        warnings: exported.warnings,
        notes: [...notes, ...exported.notes, ...exactNotes(tensor, weight?.sqnrDb ?? null)],
      },
    }
  } finally {
    arena.release()
  }
}
