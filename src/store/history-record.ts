/** A finished comparison as a run that is kept. Loaded when the first one is finished. */
import { VERSION } from '../core/version'
import type { MethodOutcome } from '../experiment/result'
import { RESOLUTIONS, type Resolution, reducedOutcome } from '../experiment/results/reduce-outcome'
import { type ResultsFile, resultsPieces } from '../experiment/results/results-file'
import { layerName } from './answer-text'
import { resultsDocument } from './export-content'
import type { RunFacts, RunScore } from './history'
import { bytesOf, packed } from './history-bytes'
import { comparisonId, comparisonLink } from './history-link'
import { layerFacts } from './selectors'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/** A run takes no more than this, results included. */
export const MOST_BYTES = 200_000
/** Compressed, a number of an f32 takes about as much. */
const BYTES_PER_NUMBER = 5

function scoreOf(outcome: MethodOutcome): RunScore {
  const { method } = outcome
  if (outcome.kind === 'failure') {
    return { method, outputSqnrDb: null, outputRelativeError: null, error: outcome.error.code }
  }
  const { outputSqnrDb, outputRelativeError } = outcome.evaluation
  return { method, outputSqnrDb, outputRelativeError, error: null }
}

const numbersOf = ({ channels, rows, cols, bins, points }: Resolution) => 2 * channels + rows * cols + bins + 2 * points

/** The results as a compressed file of results, made piece by piece so that the page stays at hand. */
async function compressed(document: Omit<ResultsFile, 'version'>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (const piece of resultsPieces(document)) {
    parts.push(bytesOf(piece))
    await new Promise((resolve) => setTimeout(resolve))
  }
  return packed(parts)
}

/** At the finest resolution that is small enough. */
async function fitted(document: Omit<ResultsFile, 'version'>): Promise<Uint8Array> {
  const { outcomes } = document
  const fits = (each: Resolution) => numbersOf(each) * outcomes.length * BYTES_PER_NUMBER <= MOST_BYTES
  let results = new Uint8Array()
  for (const resolution of [...RESOLUTIONS.filter(fits), ...RESOLUTIONS.slice(-1)]) {
    results = await compressed({ ...document, outcomes: outcomes.map((each) => reducedOutcome(each, resolution)) })
    if (results.length <= MOST_BYTES) break
  }
  return results
}

/** Said wherever the results of a run are shown, and in what is exported of them. */
const COARSE = 'Kept as a run: profiles and training curves are at a lower resolution, numbers in full.'

export interface RecordedRun {
  readonly facts: RunFacts
  readonly results: Uint8Array
}

/** The comparison on screen as a run; null where it is not finished or its layer not open. */
export async function recordedRun(state: AppState, vocabulary: Vocabulary, time: number): Promise<RecordedRun | null> {
  const whole = resultsDocument(state, vocabulary)
  const layer = layerFacts(state)
  const name = layerName(state, vocabulary)
  if (!whole || !layer || name === null) return null
  const own = ({ setting }: MethodOutcome) => setting === whole.setting.id
  const notes = [...(layer.notes ?? []), COARSE]
  const document = { ...whole, layer: { ...layer, notes }, outcomes: whole.outcomes.filter(own), sweeps: [] }
  const { adapter, choices, setting, methods, outcomes } = document
  const { activations, calibrationTokens, evaluationTokens } = layer
  const facts: RunFacts = {
    id: comparisonId(state, vocabulary),
    time,
    link: comparisonLink(state, vocabulary),
    layer: name,
    shape: whole.weight.shape,
    activations: activations.kind === 'captured' ? activations.tensor : activations.description,
    calibrationTokens,
    evaluationTokens,
    setting,
    choices,
    methods,
    scores: outcomes.map(scoreOf),
    version: VERSION,
    adapter,
  }
  return { facts, results: await fitted(document) }
}
