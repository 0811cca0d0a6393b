/** A comparison of the command line as results the page opens (docs/results-schema.md). */
import { createHash } from 'node:crypto'
import type { TensorSource } from '../experiment/load-tensor'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { FileFingerprint, ResultsFile } from '../experiment/results/results-file'
import type { CompareArguments } from './compare-arguments'

const LENGTH_BYTES = 8
const HASH_BYTES = 6
const MAX_HEADER_BYTES = 100_000_000

/** The file of a weight as a link of the page would name it; of a checkpoint's shard only the name is known. */
async function fingerprint({ source, tensor }: TensorSource): Promise<FileFingerprint> {
  const name = tensor.shard?.name ?? source.name
  if (tensor.shard || source.byteLength < LENGTH_BYTES) return { name, byteLength: 0, headerHash: '', builtIn: null }
  const length = Number(new DataView(await source.slice(0, LENGTH_BYTES)).getBigUint64(0, true))
  const isHeader = length <= Math.min(MAX_HEADER_BYTES, source.byteLength - LENGTH_BYTES)
  const header = isHeader ? await source.slice(LENGTH_BYTES, LENGTH_BYTES + length) : null
  const digest = header && createHash('sha256').update(new Uint8Array(header)).digest('hex')
  return { name, byteLength: source.byteLength, headerHash: digest?.slice(0, 2 * HASH_BYTES) ?? '', builtIn: null }
}

/** Everything the page's figures need of a run. There is no link in it: the page was not there. */
export async function resultsOf(
  { request, heldOutShare }: CompareArguments,
  weight: TensorSource,
  run: {
    readonly layer: LayerFacts
    readonly adapter: ResultsFile['adapter']
    readonly outcomes: readonly MethodOutcome[]
  },
): Promise<Omit<ResultsFile, 'version'>> {
  const { settings, methods, seed, headDim, scaleRule, rounding, preScale, blockSize } = request
  const { name, dtype } = weight.tensor
  return {
    ...run,
    files: [await fingerprint(weight)],
    weight: { title: run.layer.file, tensor: name, shape: [run.layer.outDim, run.layer.inDim], dtype },
    choices: { scaleRule, rounding, preScale, blockSize, seed, headDim, heldOutShare },
    setting: settings[0],
    methods: methods.map((method) => ({ ...method, hidden: false })),
    sweeps: [],
    link: '',
  }
}
