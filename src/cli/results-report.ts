/** A comparison of the command line as results the page opens (docs/results-schema.md). */
import type { TensorSource } from '../experiment/load-tensor'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { FileFingerprint, ResultsFile } from '../experiment/results/results-file'
import { headerHash } from '../io/header-hash'
import type { CompareArguments } from './compare-arguments'

/** The file of a weight as a link of the page would name it; of a checkpoint's shard only the name is known. */
async function fingerprint({ source, tensor }: TensorSource): Promise<FileFingerprint> {
  if (tensor.shard) return { name: tensor.shard.name, byteLength: 0, headerHash: '', builtIn: null }
  const { name, byteLength } = source
  return { name, byteLength, headerHash: await headerHash(source), builtIn: null }
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
