import {
  type Decoder,
  either,
  exactly,
  finite,
  flag,
  listOf,
  Mismatch,
  nullable,
  objectOf,
  real,
  recordOf,
  text,
  whole,
} from '../../core/decode'
import { FileError } from '../../core/errors'
import { PRE_SCALE_VARIANTS, type PreScale, ROUNDINGS, SCALE_RULES } from '../../formats/number-format'
import type { Setting } from '../request'
import type {
  ActivationOrigin,
  ActivationProfile,
  LayerFacts,
  MagnitudeMap,
  MethodFailure,
  MethodOutcome,
  MethodResult,
  OperandErrors,
  OutputErrors,
  ScaleAnalysis,
  ScaleHistogram,
  ScaleSweep,
  SweepPoint,
  TrainingCurve,
} from '../result'
import {
  type AdapterName,
  type ChosenMethod,
  type FileFingerprint,
  RESULTS_SCHEMA,
  type ResultsFile,
  type RunChoices,
  type SavedSweep,
  type WeightFacts,
} from './results-file'

const reals = listOf(real)
const f32List: Decoder<Float32Array> = (value, path) => Float32Array.from(reals(value, path))
const f64List: Decoder<Float64Array> = (value, path) => Float64Array.from(reals(value, path))

const preScale = objectOf<PreScale>({ factor: finite, variant: exactly(...PRE_SCALE_VARIANTS) })
const options = recordOf(either<number, string>(finite, text))
const errorReport = objectOf<Omit<MethodFailure['error'], 'proposal'>>({
  kind: exactly('file', 'input', 'unsupported', 'gpu', 'bug'),
  code: text,
  message: text,
})

const setting = objectOf<Setting>({
  id: text,
  weightFormat: nullable(text),
  activationFormat: nullable(text),
  outputFormat: nullable(text),
})

const outputErrors = objectOf<OutputErrors>({
  outputRelativeError: real,
  outputSqnrDb: real,
  gain: real,
  cosine: real,
  maxAbsoluteError: real,
  tokens: whole,
})

const operandErrors = objectOf<OperandErrors>({ sqnrDb: real, clippedPercent: real, flushedPercent: real })

const map: Decoder<MagnitudeMap> = (value, path) => {
  const read = objectOf<MagnitudeMap>({ rows: whole, cols: whole, values: f32List, tokens: whole, channels: whole })
  const found = read(value, path)
  if (found.values.length === found.rows * found.cols) return found
  throw new Mismatch(`${path}.values`, `${found.rows} x ${found.cols} numbers`, Array.from(found.values))
}

const profile: Decoder<ActivationProfile> = (value, path) => {
  const found = objectOf<ActivationProfile>({
    histogram: objectOf({ range: real, counts: f64List }),
    map,
    channelMax: f32List,
    channelRms: f32List,
    maxAbsolute: real,
    kurtosis: real,
    count: whole,
  })(value, path)
  if (found.channelMax.length === found.channelRms.length) return found
  const expected = `${found.channelMax.length} numbers, as in channelMax`
  throw new Mismatch(`${path}.channelRms`, expected, Array.from(found.channelRms))
}

/** Lists of a curve are read side by side. */
function sameLength<T>(decode: Decoder<T>, x: keyof T & string, y: keyof T & string): Decoder<T> {
  return (value, path) => {
    const found = decode(value, path)
    const [xs, ys] = [found[x], found[y]]
    if (Array.isArray(xs) && Array.isArray(ys) && xs.length === ys.length) return found
    throw new Mismatch(`${path}.${y}`, `as many numbers as in ${x}`, ys)
  }
}

const training = sameLength(
  objectOf<TrainingCurve>({ steps: reals, losses: reals, bestStep: finite }),
  'steps',
  'losses',
)
const scaleHistogram = objectOf<ScaleHistogram>({
  firstExponent: finite,
  counts: reals,
  zeroBlocks: whole,
  blocks: whole,
})
const scaleSweep = sameLength(objectOf<ScaleSweep>({ values: reals, outputSqnrDb: reals }), 'values', 'outputSqnrDb')

const scaleAnalysis = objectOf<ScaleAnalysis>({
  weightScales: nullable(scaleHistogram),
  activationScales: nullable(scaleHistogram),
  split: nullable(
    objectOf<NonNullable<ScaleAnalysis['split']>>({
      powerOfTwo: real,
      weightFp32: real,
      activationFp32: real,
      bothFp32: real,
      scaleShare: real,
    }),
  ),
  preScaleSweep: nullable((value, path) => ({
    ...scaleSweep(value, path),
    ...objectOf({ variant: exactly(...PRE_SCALE_VARIANTS) })(value, path),
  })),
  blockSizeSweep: nullable(scaleSweep),
})

const identity = {
  method: text,
  setting: text,
  weightFormat: nullable(text),
  activationFormat: nullable(text),
  outputFormat: nullable(text),
  headDim: nullable(whole),
  scaleRule: nullable(text),
  rounding: nullable(text),
  blockSize: nullable(whole),
  preScale: nullable(finite),
  preScaleVariant: nullable(exactly(...PRE_SCALE_VARIANTS)),
  seed: finite,
  options,
}

const result = objectOf<MethodResult>({
  kind: exactly('result'),
  ...identity,
  calibration: outputErrors,
  evaluation: outputErrors,
  weight: nullable(operandErrors),
  activation: nullable(operandErrors),
  bitsPerElement: real,
  onlineOperations: real,
  onlineBytes: real,
  elapsedMs: real,
  profile,
  training: nullable(training),
  scaleAnalysis: nullable(scaleAnalysis),
  notes: listOf(text),
})

const failure = objectOf<MethodFailure>({ kind: exactly('failure'), ...identity, error: errorReport })

const outcome: Decoder<MethodOutcome> = (value, path) => {
  const { kind } = objectOf({ kind: exactly('result', 'failure') })(value, path)
  return kind === 'result' ? result(value, path) : failure(value, path)
}

type Origin<K extends ActivationOrigin['kind']> = Extract<ActivationOrigin, { kind: K }>

/** Every kind of origin has its reader: the compiler sees to it. */
const ORIGINS: { readonly [K in ActivationOrigin['kind']]: Decoder<Origin<K>> } = {
  captured: objectOf<Origin<'captured'>>({ kind: exactly('captured'), tensor: text, file: text }),
  synthetic: objectOf<Origin<'synthetic'>>({ kind: exactly('synthetic'), description: text, seed: finite }),
}

const origin: Decoder<ActivationOrigin> = (value, path) => {
  const { kind } = objectOf({ kind: exactly('captured', 'synthetic') })(value, path)
  return ORIGINS[kind](value, path)
}

const layer = objectOf<LayerFacts>({
  name: text,
  file: text,
  outDim: whole,
  inDim: whole,
  calibrationTokens: whole,
  evaluationTokens: whole,
  sameRows: flag,
  activations: origin,
  notes: (value, path) => (value === undefined ? undefined : listOf(text)(value, path)),
})

const point = objectOf<SweepPoint>({
  value: finite,
  calibration: nullable(outputErrors),
  evaluation: nullable(outputErrors),
  error: nullable(errorReport),
})

const document = objectOf<ResultsFile>({
  version: text,
  adapter: nullable(objectOf<AdapterName>({ vendor: text, architecture: text, description: text, isSoftware: flag })),
  files: listOf(
    objectOf<FileFingerprint>({ name: text, byteLength: whole, headerHash: text, builtIn: nullable(text) }),
  ),
  weight: objectOf<WeightFacts>({ title: text, tensor: text, shape: listOf(whole), dtype: text }),
  layer,
  choices: objectOf<RunChoices>({
    scaleRule: exactly(...SCALE_RULES),
    rounding: exactly(...ROUNDINGS),
    preScale: nullable(preScale),
    blockSize: whole,
    seed: finite,
    headDim: nullable(whole),
    heldOutShare: finite,
  }),
  setting,
  methods: listOf(objectOf<ChosenMethod>({ id: text, options, hidden: flag })),
  outcomes: listOf(outcome),
  sweeps: listOf(
    objectOf<SavedSweep>({ parameter: text, method: text, inUse: finite, values: reals, points: listOf(point) }),
  ),
  link: text,
})

/**
 * The results in a file's text. Throws FileError RF-01 for text that is no JSON, RF-02 for another schema or a newer
 * one, RF-03 for content that is not what the schema says; each names the file.
 */
export function readResults(name: string, fileText: string): ResultsFile {
  let value: unknown
  try {
    value = JSON.parse(fileText.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new FileError('RF-01', `${name}: expected results as JSON, found text that is none.`, { cause })
  }
  try {
    const { schema } = objectOf({ schema: text })(value, '')
    if (schema !== RESULTS_SCHEMA) throw new FileError('RF-02', otherSchema(name, schema))
    return document(value, '')
  } catch (error) {
    if (error instanceof Mismatch) throw new FileError('RF-03', `${name}: ${error.message}.`, { cause: error })
    throw error
  }
}

function otherSchema(name: string, found: string): string {
  const newer = /^mxscope\.results\/(\d+)$/.exec(found)
  const why = newer
    ? 'It was written by a newer MXScope; open it there.'
    : 'Only results saved by the page can be opened.'
  return `${name}: expected schema ${RESULTS_SCHEMA}, found ${JSON.stringify(found.slice(0, 60))}. ${why}`
}
